"""The step `generate`: new rows are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Budget, Cost, Operator, PoolStatistics, UsageError
from dataflywheel.proposing.fulfil import Fulfilment, Terms, fulfil
from dataflywheel.proposing.kinds import Gate, Proposer, Surroundings
from dataflywheel.recipe.asking import submit_batches
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import slices_by_id
from dataflywheel.recipe.inputs.looked import Looked
from dataflywheel.recipe.inputs.slicing import slices_of
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.beside_writers import asks_all, no_seals
from dataflywheel.recipe.steps.failures import (
    evidence,
    facts_of,
    find_failures,
    steering_failures,
    why_none,
    why_not_yet,
)
from dataflywheel.recipe.steps.read_by_writers import columns_read, measured, steering
from dataflywheel.recipe.steps.seeds_of import check_groups, check_seeds, made_before, shared_out, slice_in
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.recipe.steps.writing import Propose, Writing, Written
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.rows.sealed import without_seals

ROUND = 1009
"""What the random seed moves by from round to round, so that seeds are taken in another order."""


class Generate(Propose):
    """Adds new rows that pass every gate."""

    version: ClassVar[int] = 1

    rows: str | int
    """Rows wanted: `200`, or `20%` of the rows that are there. In a recipe with rounds: in all of them together."""
    source: Literal["rows", "pool", "target"] = "rows"
    """What is written from: the rows that came so far (in a wheel, all cleaned rows), the whole pool as it was read, or
    the steering tier of a wheel's target, whose skills may be absent from the pool. A method that writes from failures
    gets of these the rows alone that the model trained last got wrong: of the target those with 0 in the last
    evaluation, or under a loss the worse half of each slice; of rows and pool those with a wrong final answer where the
    target is scored by `final_answer`, else the worse half by bits per byte."""
    per: Literal["tag", "slice"] | None = None
    """Share the rows out equally among the first tags of what is written from, or among the target's slices."""
    fill: str = Field(default="", exclude_if=lambda held: not held)
    """Fill up smaller groups to as many rows as the largest has, the smallest first: `label` (or a short answer that is
    one), `tag`, `source`, or a field of the rows. New rows of a group are written from its own, `rows` at most."""
    visits: int | None = Field(default=None, ge=1)
    """How often one row is written from, at most. Not given: once, or as often as rows are missing where a method's
    seeds are mere examples (`self_instruct`) or nothing (`magpie`)."""
    least_yield: float = Field(default=0.02, ge=0, le=1)
    """Stop when a smaller share of recent proposals is accepted, and say so."""

    @property
    def from_failures(self) -> bool:
        """Whether it writes from what the student got wrong."""
        return self.proposer().from_failures

    def most_visits(self) -> int | None:
        """How often one row is written from, at most; None: without end."""
        return self.visits if self.visits is not None else None if self.proposer().revisits else 1

    def from_nothing(self) -> bool:
        """Whether its method writes from nothing as it is set."""
        return self.proposer().written_from(self.named[1]) == "nothing"

    def budget(self) -> Budget:
        return Budget.parse(self.rows)

    def wanted(self, there: int) -> int:
        """New rows wanted where so many rows are there; one document may give more than one."""
        return int(budget.amount) if (budget := self.budget()).unit == "rows" else budget.rows(there)


@dataclass(frozen=True)
class Generating(Writing, keyword="generate"):
    """One method that writes from rows, from failures, or from nothing."""

    Work = Generate
    brings: ClassVar[bool] = True
    rewrites: ClassVar[bool] = False

    work: Generate

    @property
    def from_failures(self) -> bool:
        return self.work.from_failures

    @property
    def adds(self) -> Operator:
        return self.work.proposer().operator

    def check_place(self, recipe: Recipe) -> None:
        work, kind = self.work, self.work.proposer()
        if work.budget().unit == "tokens":
            raise UsageError(
                f"{self.title}: `rows: {work.rows}` counts tokens, and what is written is counted in rows; write "
                "`rows: 200`, or `rows: 20%` of the rows that are there"
            )
        if work.per == "slice" and not recipe.target:
            raise UsageError(f"{self.title}: `per: slice` needs a target; name evaluation rows under `target:`")
        if work.per is not None and work.fill:
            raise UsageError(f"{self.title}: `per` shares rows out equally and `fill` by what groups lack; name one")
        if (work.per is not None or work.fill) and work.from_nothing():
            name = "fill" if work.fill else "per"
            raise UsageError(f"{self.title}: {kind.name} writes from nothing, for no group of rows; leave `{name}` out")
        if work.source == "target" and recipe.rounds == 1:
            raise UsageError(
                f"{self.title}: `source: target` writes from the steering tier, and only a wheel has tiers; write "
                "`rounds: 2` or more, or write from rows"
            )
        if not recipe.pool and self.index == 1:
            self._check_from_nothing()
        earlier = {name for name, _ in recipe.named_steps()[: self.index - 1]}
        if self.from_failures and recipe.rounds == 1 and not {"train", "distill"} & earlier:
            raise UsageError(
                f"{self.title}: {kind.name} writes from rows that the student got wrong, and nothing is trained before "
                "it; write `rounds: 2` or more, with `train` and `evaluate`, or put a `train` step before it"
            )

    def _check_from_nothing(self) -> None:
        if not self.work.from_nothing():
            raise UsageError(
                f"{self.title}: {self.work.proposer().name} writes from rows, and the recipe has no `pool`; name one"
            )
        if self.work.budget().unit != "rows":
            raise UsageError(f"{self.title}: `rows: {self.work.rows}` is a share of no rows; say how many")

    def rows_asked(self, rows: int) -> int:
        return self.work.wanted(rows)

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """With the rows that it may write from scored after every round but the last; the steering tier is scored by
        the evaluation. What asks the same of nothing, however few rows are wanted, does so in every round."""
        asking = super().cost(recipe, pool, speed)
        if self.work.from_nothing() and self.work.proposer().whole:
            return sum((asking for _ in range(recipe.rounds)), Cost())
        if not self.from_failures or self.work.source == "target":
            return asking
        times = max(1, recipe.rounds - 1)
        seconds = model_seconds(recipe.models.student, 2, times * pool.tokens, speed)
        return asking + Cost(seconds=seconds, forward=times * pool.rows, tokens=times * pool.tokens)

    def unread(self, recipe: Recipe) -> list[str]:
        return [
            *super().unread(recipe),
            *asks_all(self.title, self.work.proposer(), self.work.named[1], self.work.rows),
        ]

    def left(self, pool: PoolStatistics) -> PoolStatistics:
        wanted = self.work.wanted(pool.rows)
        more = 1 + wanted / max(1, pool.rows)
        pairs = pool.pairs + (wanted if self.work.makes_pairs else 0)
        size = round(pool.rows * more), int(pool.chars * more), int(pool.tokens * more)
        return PoolStatistics(*size, pairs, pool.labelled, pool.gaps)

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        if self.work.source != "target" and not any(step.writes for step in before):
            check_seeds(self.title, self.work.proposer(), self.work.named[1], looked.first)
            check_groups(self.title, self.work.fill, looked.first)
        return {}

    def evidence(self, context: Context, state: State) -> list[str]:
        student = state.student()
        failed = evidence(context, self.work.source, student) if student is not None and self.from_failures else []
        return [*super().evidence(context, state), *no_seals(context.recipe, self.index), *failed]

    def write(self, given: Given, proposer: Proposer, gates: list[Gate], table: list[Row]) -> Written:
        context, state, work = given.context, given.state, self.work
        student = state.student()
        if proposer.from_failures and student is None:
            return Written(Fulfilment(shortfall=why_not_yet(proposer.name)), {}, [], {})
        origin = self._origin(context, state)
        written_from: list[Row] = read_rows(origin).to_pylist()
        wanted = work.wanted(len(written_from))
        written_from = [] if work.from_nothing() else written_from
        place: Callable[[Row], str] | None = None
        quotas, failures = dict(self.amounts), None
        if not work.fill and (work.per == "slice" or quotas):
            slices = slices_by_id(context, origin) if work.source == "target" else slices_of(context, origin)
            place = partial(slice_in, slices)
        if proposer.from_failures:
            assert student is not None
            failures = find_failures(context, student, work.source, origin, written_from, place)
            written_from = [row for row in written_from if row["id"] in failures.scores]
            if not written_from:
                short = why_none(proposer.name, work.source)
                return Written(Fulfilment(shortfall=short, missing=quotas or {"": wanted}), {}, [], facts_of(failures))
        place, quotas, lacking = shared_out(written_from, wanted, place, quotas, work.per, work.fill)
        terms = Terms(
            rows=0 if work.fill else wanted, quotas=quotas, wave=work.wave, visits=work.most_visits(),
            least_yield=work.least_yield,
        )  # fmt: skip
        # What is written from the target is new beside the rows; copies of it are for the gate that looks for them.
        there = origin if work.source != "target" else state.seeds or state.rows
        held = {origin, there, state.rows, *([state.earlier] if state.earlier else [])}
        known = frozenset(i for path in held for i in read_rows(path, ["id"])["id"].to_pylist())
        done = fulfil(
            proposer, gates, written_from, terms, Surroundings(there, context.against, made_before(state.earlier)),
            context.recipe.seed + self.index + ROUND * (self.round - 1), slice_of=place, known=known,
            settle=submit_batches, watch=partial(self.watch, context),
            columns=measured(context, origin, columns_read(work.by), self.title),
            evaluation=steering(work.proposer(), state),
        )  # fmt: skip
        done = done if failures is None else replace(done, entries=failures.told(done.entries))
        return Written(done, {}, [without_seals(p.row) for p in done.accepted if p.row], facts_of(failures) | lacking)

    def _origin(self, context: Context, state: State) -> Path:
        """The rows that are written from."""
        assert context.pool is not None
        origin = {"rows": state.seeds or state.rows, "pool": context.pool, "target": context.guide}[self.work.source]
        assert origin is not None, "the plan refuses `source: target` without rounds"
        return origin

    def whole(self, recipe: Recipe, rows: int, tokens: int) -> int:
        return self.work.wanted(rows)

    def waits(self, round: int) -> bool:
        """No model was evaluated yet whose failures it could take."""
        return round == 1 and self.from_failures

    def in_round(self, round: int, amount: int, amounts: Mapping[str, int]) -> Step:
        return replace(self, work=self.work.model_copy(update={"rows": amount}), round=round, amounts=amounts)

    def reach(self, context: Context, state: State, offered: Path) -> dict[str, str] | None:
        """What is written from nothing aims at no slice, what is written from failures at those with failures alone."""
        if self.work.from_nothing() or self.work.fill:
            return {}
        if self.work.source != "target" or context.guide is None:
            origin = context.pool if self.work.source == "pool" else state.seeds
            return slices_of(context, origin or state.rows)
        found, student = slices_by_id(context, context.guide), state.student()
        if self.from_failures and student is not None:
            return {id: found[id] for id in steering_failures(context, student).scores}
        return found
