"""Folding: a curriculum by score, gone through several times with other rows each time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, Selection, Selector
from dataflywheel.selection.order import SCORE, best_first, counts, eligible


class DeltFolding(Selector):
    """The best rows by a score, in folded order: sorted ascending, then every `folds`-th row from the first, every
    `folds`-th from the second, and so on.

    It chooses what the score alone would choose; the order is what it adds, for training that follows it (`in_order`).
    Each fold runs from the lowest score to the highest, so the model meets the whole range several times.
    """

    card: ClassVar[Card] = Card(
        title="Data Efficacy for Language Model Training",
        authors="Dai et al.",
        year=2025,
        paper="2506.21545",
        category="selection",
        subcategory="static",
        summary="Puts rows in an order that runs through the scores several times, for training that follows it.",
        checked="a permutation, every fold sorted, means of the folds within one step of each other",
        pays="One long epoch over rows with a grade of difficulty that one trusts, where the order is free to choose.",
        fails="It chooses nothing and only orders, so that a poor score is no better than chance: train on shuffled "
        "rows beside it.",
        evidence="Here (`benchmarks/dynamic.py`, told in `docs/how-to.md`): behind a shuffled order.",
    )

    version: ClassVar[int] = 2
    orders: ClassVar[bool] = True

    score: str = SCORE
    """Column to order by; by default the rank of the step's `by`."""
    folds: int = Field(default=3, ge=1)
    """Times that the order runs from the lowest score to the highest; 1 is the plain curriculum."""

    def needs(self) -> tuple[str, ...]:
        return (self.score,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.score)
        value = columns[self.score][rows].astype(np.float64)
        chosen = np.sort(best_first(rows, value)[:budget])  # in the order of row ids, so that ties are theirs
        ascending = chosen[np.argsort(value[chosen], kind="stable")]
        order = ascending[folded(len(ascending), self.folds)]
        notes = counts(columns, rows, self.score)
        return Selection(rows[order], value[order], f"folded by {self.score}", nested=False, notes=notes)


def folded(n: int, folds: int) -> AnyArray:
    """Places 0..n-1 of a sorted list in folded order (n,).

    >>> folded(7, 3)
    array([0, 3, 6, 1, 4, 2, 5])
    """
    return np.concatenate([np.arange(start, n, folds) for start in range(folds)])
