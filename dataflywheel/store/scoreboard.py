"""What a comparison found, as it is kept in a run's `compare.json`: written and read by these classes alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from dataflywheel.contracts import Cost, UsageError, nearest
from dataflywheel.store.atomic import finite
from dataflywheel.store.seal import read_record, write_record

Better = Literal["lower", "higher"]
Number = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]
"""A number that may be unknown: NaN here, null in the file."""
Words = Annotated[str, BeforeValidator(lambda value: "not decided" if value is None else value)]
Bill = Annotated[Cost, PlainSerializer(lambda cost: cost.as_dict())]


class Kept(BaseModel):
    """A part of a record. What an earlier version did not write has its default; other fields are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ValueInterval(Kept):
    """A value with its 95 % interval over `n` rows; NaN where it is not known."""

    value: Number = math.nan
    low: Number = math.nan
    high: Number = math.nan
    n: int = 0


class MeanInterval(Kept):
    """A mean with its 95 % Student interval over seeds."""

    mean: Number = math.nan
    low: Number = math.nan
    high: Number = math.nan

    @property
    def known(self) -> bool:
        return all(map(math.isfinite, (self.mean, self.low, self.high)))


class Against(Kept):
    """An arm less another one, paired by seed, and what that says; None of the arm that others are held against."""

    difference: MeanInterval | None = None
    verdict: Words = "not decided"


class ArmScore(Kept):
    """One choice of rows: what it was trained on, how it scored over the seeds, and what choosing cost."""

    name: str = ""
    label: str = ""
    role: str = "baseline"
    rows: int = 0
    answer_tokens: int = 0
    train_tokens: int = 0
    scores: list[Number] = []
    """The metric, by seed."""
    mean: Number = math.nan
    low: Number = math.nan
    """Of the 95 % Student interval over seeds, as `high`."""
    high: Number = math.nan
    difference: MeanInterval | None = None
    """To random, paired by seed."""
    verdict: Words = "not decided"
    raw: Against | None = None
    """Against random rows of the pool as it came, where these were trained."""
    select_cost: Bill = Field(default_factory=Cost)
    train_seconds: Number = math.nan
    costs_more_than_training: bool = False
    length_shift: Number = math.nan
    """Mean answer length over that of the rows offered."""
    overlap: dict[str, float] = {}
    """Rows in both over rows in either, by other arm."""
    slices: dict[str, MeanInterval] = {}

    @property
    def gain(self) -> MeanInterval | None:
        """The difference to random; None of random itself, and where none was trained."""
        return self.difference


ALIKE = 0.02
"""Share by which training tokens may differ and still count as the same."""


def more_tokens(arm: ArmScore, other: ArmScore) -> float | None:
    """Training tokens of an arm over those of another, less 1; None where either is not known."""
    known = arm.train_tokens > 0 and other.train_tokens > 0
    return arm.train_tokens / other.train_tokens - 1 if known else None


def costs_beside(arm: ArmScore, other: ArmScore) -> str:
    """What training on an arm cost beside another one, in words.

    >>> costs_beside(ArmScore(rows=9, train_tokens=117), ArmScore(rows=9, train_tokens=100))
    'same rows, +17 % tokens'
    """
    more = more_tokens(arm, other)
    if more is not None and abs(more) <= ALIKE:
        return "same training tokens"
    told = "tokens unknown" if more is None else f"{100 * more:+.0f} % tokens"
    return f"same rows, {told}" if arm.rows == other.rows else told


def costs_more(arm: ArmScore, other: ArmScore | None) -> str:
    """The same where it is not the same cost, else ""."""
    told = "" if other is None or arm is other else costs_beside(arm, other)
    return "" if told == "same training tokens" else told


class StepWorth(Kept):
    """What a step was worth: the recipe less the step, against the recipe."""

    step: str = ""
    by: str = ""
    rows: int = 0
    """Without the step."""
    rows_with: int = 0
    cost: Bill = Field(default_factory=Cost)
    scores: list[Number] = []
    worth: MeanInterval | None = None
    """Above 0 it helped."""
    token_ratio: Number | None = None
    """Training tokens without it over those with it."""
    verdict: str = "not measured"
    failure: str = ""


class CurvePoint(Kept):
    """How the model was after so many rows: the mean over seeds with its 95 % interval."""

    rows: int = 0
    mean: Number = math.nan
    low: Number = math.nan
    high: Number = math.nan
    scores: list[Number] = []


class Ahead(Kept):
    """What as many rows again are worth, with a 90 % interval, and what they cost."""

    rows: int
    gain: Number
    low: Number
    high: Number
    value: Number
    """The metric after them."""
    usd: Number
    seconds: Number


class Curve(Kept):
    """The learning curve, or in `failure` why there is none."""

    points: list[CurvePoint] = []
    fitted: list[tuple[float, float]] = []
    next: Ahead | None = None
    a_row: dict[str, float] = {}
    said: str = ""
    failure: str = ""


class Scoreboard(Kept):
    """Every choice of rows at one budget.

    >>> board = Scoreboard(better="lower", arms=[ArmScore(name="random", mean=2.5), ArmScore(name="ifd", mean=2.4)])
    >>> board.best.name, board["random"].mean
    ('ifd', 2.5)
    """

    fingerprint: str = ""
    of: str = ""
    """The steps whose rows are compared, as a fingerprint."""
    untrained: int = 0
    """Trials for which the hours did not suffice."""
    stopped: str | None = None
    """Which budget ended it, and which arms were trained with which seeds; None where it came to its end."""
    metric: str = "score"
    better: Better = "lower"
    budget: str = ""
    seeds: list[int] = []
    rows_offered: int = 0
    arms: list[ArmScore] = []
    """The recipe's own selection first."""
    steps: list[StepWorth] | None = None
    """Where steps were left out."""
    curve: Curve | None = None
    cost: Bill | None = None

    @property
    def best(self) -> ArmScore:
        """The arm with the best mean; what was not measured is never it.

        Raises:
            UsageError: no arm was scored.
        """
        known = [arm for arm in self.arms if math.isfinite(arm.mean)]
        if not known:
            raise UsageError("no arm of this comparison was scored")
        return min(known, key=lambda arm: (arm.mean if self.better == "lower" else -arm.mean, arm.name))

    @property
    def own(self) -> ArmScore | None:
        """The recipe's own selection: the arm named so, else the first that is no baseline."""
        chosen = [arm for arm in self.arms if arm.role == "selection"]
        return next((arm for arm in chosen if arm.name == "selection"), chosen[0] if chosen else None)

    @property
    def random(self) -> ArmScore | None:
        return next((arm for arm in self.arms if arm.name == "random"), None)

    def __getitem__(self, name: str) -> ArmScore:
        """The arm of that name.

        Raises:
            UsageError: there is none; the message gives the nearest right name.
        """
        found = next((arm for arm in self.arms if arm.name == name), None)
        if found is None:
            raise UsageError(f"no arm is named {name!r}{nearest(name, [arm.name for arm in self.arms])}")
        return found

    def as_dict(self) -> dict[str, Any]:
        """As `compare.json` holds it; what was not asked for is absent."""
        held: dict[str, Any] = finite(self.model_dump())
        for arm, line in zip(self.arms, held["arms"], strict=True):
            line["cost_beside_random"] = costs_beside(arm, self.random) if self.random else None
        return {name: value for name, value in held.items() if name not in ABSENT or value is not None}

    def write(self, path: Path) -> None:
        write_record(path, self.as_dict())

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None where there is none, or where it is not as it was written; then it was set aside with a warning."""
        held = read_record(path)
        return None if held is None else cls.model_validate(held)


ABSENT = ("steps", "curve", "cost", "stopped")
"""Fields that not every comparison has."""
