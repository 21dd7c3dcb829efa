"""The step `enhance`: rows are rewritten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from dataflywheel.contracts import PoolStatistics
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Gate, Proposer, Surroundings
from dataflywheel.recipe.asking import submit_batches
from dataflywheel.recipe.steps.read_by_writers import columns_read, measured, steering
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.writing import Propose, Writing, Written
from dataflywheel.rows.schema import Row


class Enhance(Propose):
    """Rewrites rows: a proposal that passes every gate replaces its row, every other row stays as it is."""

    version: ClassVar[int] = 1

    where: dict[str, tuple[float | None, float | None]] = {}
    """Only rows whose measured values lie within these bounds are rewritten: `{text.tokens_answer: [null, 20]}`."""


@dataclass(frozen=True)
class Enhancing(Writing, keyword="enhance"):
    """One method on all rows, or on those within bounds."""

    Work = Enhance
    rewrites: ClassVar[bool] = True

    work: Enhance

    def needs(self) -> tuple[str, ...]:
        return (*self.work.where, *super().needs())

    def left(self, pool: PoolStatistics) -> PoolStatistics:
        return replace(pool, pairs=pool.rows, labelled=0) if self.work.makes_pairs else pool

    def rows_asked(self, rows: int) -> int:
        return rows

    def write(self, given: Given, proposer: Proposer, gates: list[Gate], table: list[Row]) -> Written:
        context, rows, work = given.context, given.state.rows, self.work
        chosen = np.ones(len(table), dtype=bool)
        if work.where:
            columns = context.measured(rows, tuple(work.where), self.title)
            decided = Filter(bounds=work.where, unmeasured="drop").decide(columns, lambda ids: [], None)
            chosen = np.array([action == "kept" for action in decided.action])
        seeds = [row for row, wanted in zip(table, chosen, strict=True) if wanted]
        done = fulfil(
            proposer, gates, seeds, Terms(wave=work.wave), Surroundings(rows, context.against),
            context.recipe.seed + self.index, known=frozenset(row["id"] for row in table), settle=submit_batches,
            watch=partial(self.watch, context), columns=measured(context, rows, columns_read(work.by), self.title),
            evaluation=steering(work.proposer(), given.state),
        )  # fmt: skip
        changed = {p.before["id"]: p.row for p in done.accepted if p.before is not None and p.row is not None}
        return Written(done, changed, [], {})
