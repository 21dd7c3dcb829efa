"""A step of a recipe: what it needs, checks, costs, does and tells. Whoever walks asks it, and never what it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ValidationError

from dataflywheel import catalog
from dataflywheel.contracts import STEPS, Cost, Method, PoolStatistics, UsageError, enter, explain
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import Helper, helpers_of
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.told import tried_again, without_value
from dataflywheel.recipe.steps.traits import Traits
from dataflywheel.store.record import StepRecord
from dataflywheel.store.stopwatch import Stopwatch


@dataclass(frozen=True)
class Given:
    """What a step is done with: the run, what came before it, and where its result belongs."""

    context: Context
    steps: Sequence[Step]
    """All steps of the recipe."""
    state: State
    output: Path
    fingerprint: str
    """Of what the step will give."""
    watch: Stopwatch | None = None
    """What the step takes, over all attempts at it; None outside of a walk."""


KINDS: dict[str, type[Step]] = STEPS
"""Kinds of steps by the name under which they stand in a recipe; cleaners stand under their methods' names."""


@dataclass(frozen=True)
class Step(Traits, ABC):
    """One step: its place (from 1), its name in the recipe, and the checked parameters, its `work`.

    A kind of step is one class in one file; a `keyword` makes it known to recipes:

        class Shout(Step, keyword="shout"): ...
    """

    Work: ClassVar[type[BaseModel]]
    """The parameters, as they stand in a recipe."""
    source: ClassVar[str] = ""
    """Digest of the code of a plugin that it comes from, "" where it is shipped."""
    origin: ClassVar[str] = ""
    """That plugin, as people know it."""

    index: int
    name: str
    work: BaseModel
    round: int = 1
    amounts: Mapping[str, int] = field(default_factory=dict)
    """In a wheel: rows wanted of each slice."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The signals behind names that are the recipe's own."""

    def __init_subclass__(cls, keyword: str = "") -> None:
        if keyword:
            enter(STEPS, keyword, cls, "kinds of steps")

    @classmethod
    def made(cls, index: int, name: str, given: Mapping[str, Any], recipe: Recipe) -> Self:
        """The step of these parameters.

        Raises:
            UsageError: unknown or ill-typed parameters, with the nearest right name.
        """
        try:
            return cls(index, name, cls.Work(**given))
        except ValidationError as error:
            raise UsageError(explain(error, f"step {index}, {name}", list(cls.Work.model_fields))) from None

    @property
    def place(self) -> str:
        return f"{self.index:02d}-{self.name}"

    @property
    def title(self) -> str:
        return self.place if self.round == 1 else f"round {self.round}, {self.place}"

    @property
    def role(self) -> str:
        """What it is where the order of steps matters: its name, or that of the step in whose place it stands."""
        return self.name

    def parameters(self) -> dict[str, Any]:
        return self.work.model_dump(mode="json")

    def method(self) -> str:
        """The method in a reader's words, "" where the step's name says it."""
        return ""

    # What it needs

    def needs(self) -> tuple[str, ...]:
        """Columns that the step reads."""
        return ()

    def proposes(self, target: bool) -> list[type[Method]]:
        """The method that writes and the gates behind it, where the step has any; `target`: whether there is one."""
        return []

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        """What the step wants of its signals, beyond the recipe."""
        return {}

    def guided_by(self) -> list[str]:
        """Its methods that compare rows with evaluation rows: no model may then be judged by the same ones."""
        return []

    def version(self) -> int:
        """Counts up when the same parameters give something else."""
        return int(getattr(self.work, "version", 1))

    def signals(self) -> list[type[Method]]:
        """The signals behind the columns that it reads."""
        return [catalog.get(self.named.get(name, name)) for name in signals_of(self.needs())]

    def involved(self) -> list[type[Method]]:
        """All methods that take part."""
        return [*self.signals(), *self.proposes(target=True)]

    def identity(self) -> str:
        """Name, parameters, and the versions of all methods involved: what a fingerprint takes of the step itself."""
        parts = "".join(f" {method.edition()}" for method in self.involved())
        amounts = f":{dict(self.amounts)}" if self.amounts else ""
        own = "".join(f"+{code}" for code in (self.source, getattr(self.work, "source", "")) if code)
        return f"{self.name}@{self.version()}{own}{parts}:{self.work.model_dump_json()}{amounts}"

    def evidence(self, context: Context, state: State) -> list[str]:
        """What the result depends on besides its rows and parameters, as digests."""
        return []

    # What is known beforehand

    def check(self, recipe: Recipe, comparison: bool) -> None:
        """Raises UsageError: what the step cannot do in this recipe, by itself; the order of steps is the plan's."""
        return None

    def check_pool(self, pool: PoolStatistics) -> None:
        """Raises UsageError: among so many rows as reach it there is none that it could work on."""
        return None

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """What the step's own work will cost on these rows, its signals apart; `speed` in operations a second. A plan
        says of a user's step without one that it is not priced."""
        return Cost()

    def priced(self) -> bool:
        """Whether somebody says what its work costs: of the steps that are shipped, those that say nothing cost
        nothing worth telling."""
        return type(self).cost is not Step.cost or type(self).__module__.startswith(f"{__name__.partition('.')[0]}.")

    def made_with(self, recipe: Recipe) -> Sequence[tuple[type[Method], Mapping[str, Any]]]:
        """Methods that are given models when the step is done, its signals apart, with their parameters."""
        return []

    def helpers(self, recipe: Recipe, trained: bool) -> list[Helper]:
        """Built-in models that it leans on, which are trained first; `trained`: whether a model was trained before."""
        return helpers_of(recipe, self.needs(), self.signal_parameters(), self.made_with(recipe), trained)

    def learned_first(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Mapping[str, Cost]:
        """Other models that are trained before it, and what that costs on this pool, by title."""
        return {}

    def learned_first_as(self, recipe: Recipe, divided: bool) -> str:
        """All that such a model depends on, its rows apart; `divided`: some target rows guide, others are scored."""
        return f"{self.identity()}:{recipe.models.student.model_dump_json()}{':divided' if divided else ''}"

    def left(self, pool: PoolStatistics) -> PoolStatistics:
        """What goes on, at most: rows are taken to be of average length."""
        return pool

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        """What the plan tells of the rows that there are, for this step behind those `before`."""
        return {}

    def unread(self, recipe: Recipe) -> list[str]:
        """What it will not look at or not use, a line each, such as for want of an extra package."""
        return []

    # Its work

    @abstractmethod
    def do(self, given: Given) -> StepRecord:
        """Do the work, leave the result in `given.output`, and give the record that was written there."""

    def record(
        self, given: Given, rows_out: int, cost: Cost, details: Mapping[str, Any] = MappingProxyType({})
    ) -> StepRecord:
        """What the step did, to be written where its result is; `write_decided` adds what it decided on rows.

        Its seconds are those of all attempts, waiting included, or those of `cost` where these are more: a model that
        was found in the store took what its training did.
        """
        params, told = self.parameters(), dict(details)
        if given.watch is not None:
            cost = replace(cost, seconds=round(max(cost.seconds, given.watch.seconds), 3))
        return StepRecord(
            step=self.name, fingerprint=given.fingerprint, params=params, rows_out=rows_out, cost=cost, details=told
        )

    def turned_away(self, context: Context, rows: Path, title: str) -> set[str]:
        """Ids of the rows of a directory that it would drop, in a run or outside of it."""
        return set()

    def intact(self, given: Given, record: StepRecord) -> list[str]:
        """Names of what a finished step left outside its directory and is not there any more."""
        return []

    def after(self, given: Given, record: StepRecord) -> State:
        """What it leaves to the next step, whether it was done now or before."""
        return replace(given.state, rows=given.output / "rows") if self.changes_rows else given.state

    def context_after(self, given: Given, record: StepRecord) -> Context:
        """The execution as the next step meets it: with the model that was trained, or with more target rows."""
        return given.context

    def note(self, record: StepRecord) -> str:
        """What its line in the live table says when it is done."""
        came, went = record.rows_in, record.rows_out or 0
        rows = f"{went:,} rows, from {came:,}" if went > came else f"{went:,} of {came:,} rows"
        return rows + tried_again(record) + without_value(record)

    # In a wheel

    def in_round(self, round: int, amount: int, amounts: Mapping[str, int]) -> Step:
        """The step as it is done in a round that wants so many rows of it, and `amounts` of each slice."""
        return replace(self, round=round)

    def reach(self, context: Context, state: State, offered: Path) -> dict[str, str] | None:
        """The slice of each row that it can choose or write from, by id; None where it brings none."""
        return None
