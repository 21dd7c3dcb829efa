"""The step `select`: which rows are kept, under a budget."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Budget, Columns, Complaints, Cost, Method, PoolStatistics, UsageError
from dataflywheel.recipe.bill import measuring_cost
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import slices_by_id
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.inputs.slicing import slice_column, slices_of
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Limits
from dataflywheel.recipe.steps.changed_rows import Changes
from dataflywheel.recipe.steps.check_select import check_rounds_before, check_signals, check_sources, check_vectors
from dataflywheel.recipe.steps.learned_before import learned_column
from dataflywheel.recipe.steps.rows_out import Decided, write_rows
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.combine import select_rows, weights_by_id
from dataflywheel.selection.order import LEARNED, SLICE
from dataflywheel.selection.spec import Select
from dataflywheel.store.record import StepRecord


@dataclass(frozen=True)
class Selecting(Step, keyword="select"):
    """One selection; without a `keep` of its own it keeps the recipe's budget, in rows or tokens."""

    Work = Select
    brings: ClassVar[bool] = True

    work: Select
    asked: Select | None = None
    """In a wheel: what the recipe says, of which a round is a part."""

    @classmethod
    def made(cls, index: int, name: str, given: Mapping[str, Any], recipe: Recipe) -> Self:
        complaints, full = Complaints(), {"keep": 1, **given}
        with complaints.heard():
            full = dict(_with_budget(given, recipe.budget))
        with complaints.heard():
            made = super().made(index, name, full, recipe)
        complaints.end()
        return made

    def method(self) -> str:
        return self.work.label()

    def needs(self) -> tuple[str, ...]:
        return self.work.needs()

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return self.work.signal_parameters()

    def evidence(self, context: Context, state: State) -> list[str]:
        """The rows that a selection goes on from."""
        if not self.work.goes_on or state.earlier is None:
            return []
        return [digest(*read_rows(state.earlier, ["id"])["id"].to_pylist())]

    @property
    def weighs(self) -> str:
        return self.work.weighing()

    def unread(self, recipe: Recipe) -> list[str]:
        return [
            f"{self.place}: the weights of {name} are not used, since it does not alone decide which rows are kept."
            for name in self.work.unweighed()
        ]

    def guided_by(self) -> list[str]:
        return [selector.name for selector in self.work.selectors() if selector.targeted]

    def involved(self) -> list[type[Method]]:
        selectors = [name for part in [*self.work.by, self.work.then or {}] for name in part]
        return [*map(catalog.get, selectors), *self.signals()]

    def check(self, recipe: Recipe, comparison: bool) -> None:
        for method in [] if recipe.target else self.guided_by():
            raise UsageError(
                f"select: {method} compares rows with a target; name evaluation rows under `target:` (or by "
                "`--target`), or choose a method that needs none"
            )
        check_rounds_before(self.work, recipe)
        check_signals(self.work, recipe)
        check_vectors(self.work, recipe)

    def left(self, pool: PoolStatistics) -> PoolStatistics:
        budget = self.work.budget()
        if budget.unit == "tokens":
            part = min(1.0, budget.amount / max(1, pool.tokens))
        else:
            part = budget.rows(pool.rows) / max(1, pool.rows)
        rows, pairs, labelled = round(pool.rows * part), math.ceil(pool.pairs * part), math.ceil(pool.labelled * part)
        gaps = tuple((name, math.ceil(cells * part)) for name, cells in pool.gaps)
        return PoolStatistics(rows, int(pool.chars * part), int(pool.tokens * part), pairs, labelled, gaps)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        if not any(step.writes for step in before):
            check_sources(self.work, recipe, looked.first)
        return {}

    def do(self, given: Given) -> StepRecord:
        began = time.perf_counter()
        columns = given.context.measured(given.state.rows, self.needs(), self.title, self.signal_parameters())
        columns = with_earlier(given.context, given.state.earlier, self.work, columns, self.title)
        if SLICE in self.needs():
            columns.values[SLICE] = slice_column(given.context, given.state.rows, columns.ids)
        if LEARNED in self.needs():
            columns.values[LEARNED] = learned_column(given.state.learned, columns.ids)
        ranking = time.perf_counter()
        decided = self.decide(given.context, columns)
        ranking = time.perf_counter() - ranking
        followed = followed_cost(given.context, self.work, columns)
        decided.details.update({"followed": followed.as_dict()} if followed != Cost() else {})
        return write_rows(self, given, columns, decided, began, ranking)

    def decide(self, context: Context, columns: Columns) -> Decided:
        rng = np.random.default_rng([context.recipe.seed, self.index])
        spec = capped(self.work, context.recipe.budget, len(columns))
        columns = with_target(context, spec, columns, self.title)
        selection, decisions = select_rows(columns, spec, rng)
        notes = {
            k: v for k, v in selection.notes.items() if isinstance(v, str | int | float | bool | list | dict | None)
        }
        order = None if spec.ordering() is None else [str(i) for i in columns.ids[selection.order]]
        told = {"by": self.work.label(), "budget": str(spec.keep), "notes": notes}
        return Decided(decisions, told, order, Changes(weights=weights_by_id(columns, selection) or {}))

    def note(self, record: StepRecord) -> str:
        keep = self.work.budget()
        short = keep.unit == "rows" and keep.amount > record.rows_in
        return super().note(record) + (f", all there are of the {keep.amount:,.0f} to keep" if short else "")

    def after(self, given: Given, record: StepRecord) -> State:
        context, rows = given.context, given.output / "rows"
        assert context.pool is not None
        guards = tuple(step for step in given.steps if step.guards)
        seconds = record.details["ranking_seconds"]
        followed = Cost(**record.details.get("followed", {}))
        followed += given.state.warmed if given.state.chosen is None else given.state.chosen.followed
        chosen = Chosen(given.state.rows, context.pool, guards, rows, self.asked or self.work, seconds, followed)
        return replace(given.state, rows=rows, chosen=chosen)

    @property
    def counts_tokens(self) -> bool:
        return self.work.budget().unit == "tokens"

    @property
    def has_groups(self) -> bool:
        return self.work.per not in (None, "slice")

    def whole(self, recipe: Recipe, rows: int, tokens: int) -> int:
        budget, most = self.work.budget(), recipe.budget.rows
        if budget.unit == "tokens":
            return min(int(budget.amount), tokens)
        return min(budget.rows(rows), most) if most else budget.rows(rows)

    def in_round(self, round: int, amount: int, amounts: Mapping[str, int]) -> Step:
        keep: str | int = f"{amount} tokens" if self.counts_tokens else amount
        first = self.work.at_first() if round == 1 else self.work
        shares = {name: float(wanted) for name, wanted in amounts.items() if wanted > 0}
        groups = {"per": "slice", "quota": shares} if shares else {}
        work = first.model_copy(update={"keep": keep, **groups})
        return replace(self, work=work, asked=self.asked or self.work, round=round)

    def reach(self, context: Context, state: State, offered: Path) -> dict[str, str] | None:
        return slices_of(context, offered)


def capped(select: Select, limits: Limits, offered: int) -> Select:
    """The selection with its `keep` held to the recipe's budget in rows, once it is known how many are offered."""
    if limits.rows is None or select.budget().unit == "tokens":
        return select
    return select.model_copy(update={"keep": min(limits.rows, select.budget().rows(offered))})


def with_target(context: Context, spec: Select, columns: Columns, title: str) -> Columns:
    """The columns with those of the evaluation rows beside them, where a selector compares rows with these."""
    if not spec.targeted:
        return columns
    assert context.guide is not None, "the plan refuses a targeted selection without a target"
    wanted, differ = spec.signal_parameters(), spec.target_parameters()
    for name in signals_of(spec.needs()):  # a signal under a name of the recipe's differs as its own name does
        wanted[name] = {**wanted.get(name, {}), **differ.get(context.asked(name).kind.name, {})}
    target = context.measured(context.guide, spec.needs(), title, wanted)
    target.values[SLICE] = np.array(list(slices_by_id(context, context.guide).values()), dtype=object)
    return replace(columns, target=target)


def with_earlier(context: Context, earlier: Path | None, spec: Select, columns: Columns, title: str) -> Columns:
    """The columns with those of the rows that earlier rounds train on beside them, where a selector goes on from
    these."""
    if not spec.goes_on or earlier is None:
        return columns
    return replace(columns, earlier=context.measured(earlier, spec.needs(), title, spec.signal_parameters()))


def followed_cost(context: Context, spec: Select, columns: Columns) -> Cost:
    """What measuring these rows with the model in training cost, those of earlier rounds beside them included."""
    wanted = spec.signal_parameters()
    names = [name for name in spec.needs() if context.followed([name], wanted)]
    ids = [columns.ids, *([] if columns.earlier is None else [columns.earlier.ids])]
    parts = [measuring_cost(context, names, pa.array(part, pa.string()), wanted) for part in ids]
    return sum(parts, Cost())


def _with_budget(given: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    """A `select` without `keep` takes the recipe's budget in rows or tokens; one with it stays below the budget.

    Raises:
        UsageError: nothing says how much to keep, or `keep` and the budget are in units that cannot be compared.
    """
    if "keep" in given:
        keep = Budget.parse(given["keep"])
        if limits.tokens is not None and keep.unit != "tokens":
            raise UsageError(
                f"select: the budget is in tokens and `keep: {given['keep']}` is not; write it in tokens too"
            )
        if limits.rows is not None and keep.unit == "tokens":
            raise UsageError(f"select: the budget is in rows and `keep: {given['keep']}` is not; write it in rows too")
        if limits.tokens is not None and keep.amount > limits.tokens:
            return {**given, "keep": f"{limits.tokens} tokens"}
        return given
    if limits.rows is not None:
        return {**given, "keep": limits.rows}
    if limits.tokens is not None:
        return {**given, "keep": f"{limits.tokens} tokens"}
    raise UsageError("select: say how much to keep, with `keep: 10%` in the step or `budget: {rows: 1000}`")
