"""The steps that stand under the names of cleaners: rows are dropped for a reason, or changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from dataflywheel import catalog
from dataflywheel.contracts import (
    Cleaner,
    Columns,
    Cost,
    Decisions,
    FlywheelError,
    PoolStatistics,
    TargetView,
    UsageError,
    build,
    nearest,
)
from dataflywheel.plugins.place import named
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.changed_rows import settled
from dataflywheel.recipe.steps.rows_out import Decided, check_complete, write_rows
from dataflywheel.recipe.steps.step import KINDS, Given, Step
from dataflywheel.rows.lookup import RowLookup
from dataflywheel.rows.parts import iter_batches, read_rows
from dataflywheel.rows.text import texts
from dataflywheel.store.record import StepRecord


@dataclass(frozen=True)
class Clean(Step):
    """One cleaner on all rows."""

    every_round: ClassVar[bool] = False

    work: Cleaner

    @classmethod
    def made(cls, index: int, name: str, given: Mapping[str, Any], recipe: Recipe) -> Self:
        cleaners = catalog.names(Cleaner)
        if name not in cleaners:
            raise UsageError(f"step {index}: there is no step {name!r}{nearest(name, [*KINDS, *cleaners])}")
        return cls(index, name, build(catalog.get(name, Cleaner), given))

    @property
    def guards(self) -> bool:
        return self.work.guards

    def needs(self) -> tuple[str, ...]:
        return tuple(self.work.needs())

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return self.work.signal_parameters()

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        return self.work.estimate(pool)

    def do(self, given: Given) -> StepRecord:
        began = time.perf_counter()
        context, rows = given.context, given.state.rows
        columns = self.columns(context, rows, self.title)
        ranking = time.perf_counter()
        decided = self.decide(context, rows, columns)
        ranking = time.perf_counter() - ranking
        return write_rows(self, given, columns, decided, began, ranking)

    def columns(self, context: Context, rows: Path, title: str) -> Columns:
        """What was measured of the rows, and what the cleaner makes of them itself."""
        found = context.measured(rows, self.needs(), title, self.signal_parameters())
        found.values |= self.work.facts(iter_batches(rows))
        return found

    def decide(self, context: Context, rows: Path, columns: Columns) -> Decided:
        part = getattr(self.work, "part", self.work.text)
        fetch = partial(RowLookup(rows).texts, part=part)
        decisions: Any = self.work.decide(columns, fetch, self._target(context))
        who = named(self.work, "decide")
        if not isinstance(decisions, Decisions):
            raise FlywheelError(f"{who} gave {type(decisions).__name__}; wanted are `Decisions`, one for every row")
        check_complete(who, columns.ids.tolist(), decisions)
        return Decided(decisions, dict(decisions.notes), changes=settled(self.work, rows, decisions))

    def turned_away(self, context: Context, rows: Path, title: str) -> set[str]:
        columns = self.columns(context, rows, title)
        decisions = self.decide(context, rows, columns).decisions
        return {id for id, action in zip(decisions.ids, decisions.action, strict=True) if action == "dropped"}

    def note(self, record: StepRecord) -> str:
        changed = sum(n for name, n in record.counts.items() if name.startswith("changed"))
        failed = "; ".join(filter(None, (record.details.get(name, "") for name in ("failed", "idle"))))
        told = (f", {changed:,} of them changed" if changed else "") + (f"; {failed}" if failed else "")
        return super().note(record) + told

    def _target(self, context: Context) -> TargetView | None:
        """The evaluation rows and their variants with the same signals, where the recipe names any."""
        if context.against is None:
            return None
        messages = read_rows(context.against, ["messages"])["messages"]
        found = context.measured(context.against, self.needs(), self.title, self.signal_parameters())
        return TargetView(found, texts(messages, "prompt"), texts(messages, "answer"))
