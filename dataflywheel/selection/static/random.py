"""Uniform random choice."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import counts, eligible, shuffled


class Random(Selector):
    """Rows in random order: the control that every other selector has to beat at the same cost.

    A row's place is decided by its id and the seed alone, so that a pool that hardly changes gives hardly another draw.
    """

    card: ClassVar[Card] = Card(
        title="Uniform random choice",
        authors="",
        year=2024,
        paper="",
        category="selection",
        subcategory="static",
        summary="Draws rows uniformly without replacement; the baseline of every comparison.",
        checked="seeded permutation: exact counts, equal inclusion frequency of every row over 2,000 draws",
        pays="Always as the arm beside a choice, with three seeds or more; alone where the pool is clean and all of "
        "one kind.",
        fails="With a target and a mixed pool it spends most of the budget on other things: `dsir`, `bm25` and "
        "`rds_plus` were better in both cases here.",
        evidence="Here (`benchmarks/selection.md`): on gsm8k better than `ifd` and `longest`, worse than all five "
        "choices by the target; on pubmedqa worse than all seven.",
    )
    version: ClassVar[int] = 2
    deterministic: ClassVar[bool] = False

    def needs(self) -> tuple[str, ...]:
        return ()

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns)
        order = shuffled(columns, rows, rng)
        return Selection(order, np.full(len(order), np.nan), "drawn at random", notes=counts(columns, rows))
