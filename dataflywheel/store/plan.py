"""What a recipe will do and cost, as it is kept in a run's `plan.json`: written and read by these classes alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, JsonValue

from dataflywheel.contracts import Cost
from dataflywheel.store.atomic import finite, write_json
from dataflywheel.store.scoreboard import Bill, Kept, Number

FILE = "plan.json"


class PlannedPool(Kept):
    """The pool before anything is done with it; `tokens` is an estimate."""

    rows: int = 0
    chars: int = 0
    tokens: int = 0
    unread: list[tuple[str, str]] = []
    """What lies beside the inputs and is not read, with the reason."""
    bad: int = 0
    """Lines and records that cannot be read."""
    why_bad: str = ""
    """Of the first of them."""


class Holding(Kept):
    """What of the rows looked at the format of the data set cannot hold, by reason."""

    format: str = ""
    looked_at: int = 0
    cannot_hold: int = 0
    reasons: dict[str, int] = {}


class PlannedStep(Kept):
    """A step, the most rows that go on from it, and what it costs."""

    round: int = 1
    index: int = 0
    step: str = ""
    params: dict[str, JsonValue] = {}
    rows: int = 0
    cost: Bill = Field(default_factory=Cost)
    of: list[str] = []
    """The procedures that it comes from, outermost first."""
    priced: bool = True
    """Whether its own work is in the cost: a step of a user's need not say what it costs."""

    @property
    def place(self) -> str:
        return f"{self.index:02d}-{self.step}"


class PlannedRun(Kept):
    """Another run beside the recipe's own: `without 03-filter`, `learning curve`."""

    what: str = ""
    cost: Bill = Field(default_factory=Cost)


class PlannedComparison(Kept):
    """All trainings of a comparison's arms, and what runs beside them."""

    arms: int = 0
    seeds: int = 0
    cost: Bill = Field(default_factory=Cost)
    more: list[PlannedRun] = []


class PlannedHelper(PlannedRun):
    """A built-in model that is trained before the step `before`, on the pool, or made once; `there`: it was trained
    before."""

    before: str = ""
    there: bool = False


class Shown(Kept):
    """What the student's chat template makes of the rows looked at; why it is not known (`unseen`) where it is not."""

    unseen: str = ""
    rows: int = 0
    rewritten: bool = False
    """A step before the training writes rows, so that these need not be what is trained."""
    not_trained: dict[str, int] = {}
    """By reason, as `changed`."""
    changed: dict[str, int] = {}
    cut: int = 0
    """At `max_length`."""
    without_end: int = 0
    """Without a token that ends a turn."""


class ShownAnswers(Kept):
    """Of the pairs or labelled answers looked at, which `prefer` will not learn, by reason."""

    pairs: int | None = None
    answers: int | None = None
    not_trained: dict[str, int] = {}
    remarks: list[str] = []


class Rewarded(Kept):
    """Of the rows looked at, how many have no answer that the reward could score, by reason."""

    rows: int = 0
    not_scored: dict[str, int] = {}


class SeenTarget(Kept):
    """Of an entry of the target, the rows looked at and how many of them cannot be scored, by reason."""

    metric: str = ""
    rows: int = 0
    not_scored: int = 0
    because: dict[str, int] = {}


class PlannedProcedure(Kept):
    """A procedure as it was written, and the places of the steps that it stands for."""

    procedure: str = ""
    params: dict[str, JsonValue] = {}
    steps: list[str] = []


class PlannedPlugin(Kept):
    """A plugin that takes part, the digest of its code, and the cards of its methods, None where there is none."""

    plugin: str = ""
    digest: str = ""
    methods: dict[str, dict[str, JsonValue] | None] = {}


class Range(Kept):
    """An estimate with its 95 % interval."""

    value: Number = math.nan
    low: Number = math.nan
    high: Number = math.nan


class Probed(Kept):
    """What asking about a few rows says that a signal will cost for all: calls, tokens, dollars and seconds."""

    signal: str = ""
    rows: int = 0
    """Asked about, `failed` of them without an answer that can be read."""
    failed: int = 0
    calls: Range = Range()
    tokens: Range = Range()
    usd: Range = Range()
    seconds: Number = math.nan


class Plan(Kept):
    """The steps with their costs, and what is known of the rows beforehand. What a kind of step of a plugin foresees
    stands under the name that it gave.

    >>> plan = Plan(name="job", steps=[PlannedStep(index=1, step="filter", rows=90, cost=Cost(seconds=2.0))])
    >>> plan.steps[0].cost.seconds, plan["steps"][0]["cost"]["seconds"]
    (2.0, 2.0)
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = ""
    seed: int | None = None
    pool: PlannedPool = PlannedPool()
    dataset: Holding = Holding()
    notes: list[str] = []
    """What will not be used or looked at, what follows the model in training, and what becomes of weights; a line
    each."""
    procedures: list[PlannedProcedure] = []
    signals: dict[str, dict[str, JsonValue]] = {}
    """What procedures ask for under names of their own."""
    plugins: list[PlannedPlugin] = []
    shown: Shown | None = None
    shown_pairs: ShownAnswers | None = None
    rewarded: Rewarded | None = None
    target: list[SeenTarget] = []
    comparison: PlannedComparison | None = None
    helpers: list[PlannedHelper] = []
    """Models that are trained first; what is there already costs nothing."""
    steps: list[PlannedStep] = []
    total: Bill = Field(default_factory=Cost)
    probe: list[Probed] = []
    """What asking about a few rows said, where it was asked for."""

    def __getitem__(self, name: str) -> Any:
        """A field as the file holds it.

        Raises:
            KeyError: the plan has no such field.
        """
        return self.as_dict()[name]

    @property
    def unpriced(self) -> list[str]:
        """Places of the steps whose work nobody has priced."""
        return [step.place for step in self.steps if not step.priced]

    def plugged(self) -> dict[str, PlannedPlugin]:
        """The plugin of each of its methods that takes part, by the method's name."""
        return {name: one for one in self.plugins for name in one.methods}

    def as_dict(self) -> dict[str, Any]:
        """As `plan.json` holds it; what there was no cause to say is absent."""
        held: dict[str, Any] = finite(self.model_dump(exclude_unset=True))
        return held

    def write(self, run: Path) -> None:
        write_json(run / FILE, self.as_dict())
