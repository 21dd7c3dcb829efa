"""RDS+: the pool's rows nearest to the evaluation rows, as a language model's own states see both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SLICE, counts, eligible, target_rows
from dataflywheel.selection.vectors import VectorColumn, target_gradients, vectors_of

CELLS = 1 << 25
"""Similarities held at once: 128 megabytes of float32."""
FEWEST = 16
"""Rows that a taker looks ahead at least."""

Scores = Callable[[int, int], FloatArray]
"""Similarity of takers `start` to `stop` with every row of the pool, (stop - start, n)."""


class RDSPlus(Selector):
    """Takers choose their nearest row by cosine in turn, until the budget is filled.

    With several slices each slice is a taker, as near to a row as the nearest of its evaluation rows is; with one,
    every evaluation row is a taker. The vectors are the signal `hidden_state` with its default pooling, the mean of the
    last layer weighted by position.
    """

    card: ClassVar[Card] = Card(
        title="Large-Scale Data Selection for Instruction Tuning",
        authors="Ivison et al.",
        year=2025,
        paper="2503.01807",
        category="selection",
        subcategory="static",
        summary="Keeps the rows whose position-weighted hidden states are nearest to the target's, target by target.",
        needs=("model", "target"),
        cost="$",
        checked="brute force on random cases; share of the right task families, and the loss on them after training, "
        "against random choice on P3",
    )
    targeted: ClassVar[bool] = True

    vector: VectorColumn = "hidden_state.vector"
    """Column with the vectors; with `embedding.vector` it is the choice by embeddings that the paper compares with."""
    takers: Literal["slice", "row"] | None = None
    """Who takes turns: each slice of the target or each of its rows. Not given: slices where there are several."""
    when_taken: Literal["lose_turn", "next_best"] = "lose_turn"
    """A taker whose next best row is gone already loses the turn, as in the authors' code, or takes the best row that
    is left, as the paper reads."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        return target_gradients()

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, self.vector)
        rows = eligible(columns, self.vector)
        names, groups = self._groups(target.values.get(SLICE), queries)
        pool = directions(vectors_of(columns, rows, self.vector))
        aims = directions(vectors_of(target, np.arange(len(target)), self.vector))

        def scores(start: int, stop: int) -> FloatArray:
            return nearest_of(pool, aims, groups[start:stop])

        order, gain, by = take_turns(scores, len(groups), len(rows), budget, self.when_taken == "lose_turn")
        taken = np.bincount(by, minlength=len(groups)).tolist()
        notes = counts(columns, rows, self.vector) | {"queries": len(queries)}
        if names:
            notes["taken_by"] = dict(zip(names, taken, strict=True))
        return Selection(rows[order], gain, "cosine with the nearest target row", notes=notes)

    def _groups(self, slices: AnyArray | None, queries: AnyArray) -> tuple[list[str], list[AnyArray]]:
        """Names of the slices that take turns (none where rows do), and the positions of each taker's target rows."""
        labels = np.array([""] * len(queries) if slices is None else slices[queries], dtype=str)
        names = sorted(set(labels.tolist()))
        if self.takers == "row" or (self.takers is None and len(names) == 1):
            return [], [queries[i : i + 1] for i in range(len(queries))]
        return names, [queries[labels == name] for name in names]


def directions(vectors: AnyArray) -> FloatArray:
    """Vectors (n, d) at unit length, float32; one of length zero stays zero, at right angles to all."""
    vectors = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = vectors / np.where(length > 0, length, 1)
    return unit


def nearest_of(pool: FloatArray, aims: FloatArray, groups: Sequence[AnyArray]) -> FloatArray:
    """Each group's largest product of its rows of `aims` with every row of `pool`, (groups, n), in bounded blocks."""
    best = np.full((len(groups), len(pool)), -np.inf, dtype=np.float32)
    members = np.concatenate(groups)
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    step = max(1, CELLS // max(len(pool), 1))
    for start in range(0, len(members), step):
        product = aims[members[start : start + step]] @ pool.T
        present, first = np.unique(owner[start : start + step], return_index=True)
        best[present] = np.maximum(best[present], np.maximum.reduceat(product, first, axis=0))
    return best


def take_turns(
    scores: Scores, takers: int, n: int, budget: int, lose_turn: bool
) -> tuple[AnyArray, FloatArray, AnyArray]:
    """Rows in the order in which `takers` pick them, with the score and the taker of each.

    Every taker goes down its own list: rows by descending score, ties by position. A row that is gone costs it the
    turn, or is passed over. Lists are made a window at a time, so memory stays bounded whatever the budget.
    """
    budget = min(budget, n)
    free = np.ones(n, dtype=bool)
    end = [(np.inf, -1)] * takers
    order: list[int] = []
    gain: list[float] = []
    by: list[int] = []
    turn = 0
    while len(order) < budget:
        room = max(CELLS // takers, 1)
        size = min(max(-(-2 * (budget - len(order)) // takers), FEWEST), room, n)
        lists = _windows(scores, end, free, size, lose_turn)
        place = [0] * takers
        while len(order) < budget:
            taker = turn % takers
            rows, values = lists[taker]
            if not lose_turn:
                while place[taker] < len(rows) and not free[rows[place[taker]]]:
                    place[taker] += 1
            if place[taker] == len(rows):
                break
            row = int(rows[place[taker]])
            if free[row]:
                free[row] = False
                order.append(row)
                gain.append(float(values[place[taker]]))
                by.append(taker)
            place[taker] += 1
            turn += 1
    return np.array(order, dtype=np.int64), np.array(gain), np.array(by, dtype=np.int64)


def _windows(
    scores: Scores, end: list[tuple[float, int]], free: AnyArray, size: int, lose_turn: bool
) -> list[tuple[AnyArray, FloatArray]]:
    """The next `size` rows of every taker's list with their scores: below `end`, which moves on, or of the free."""
    n, takers = len(free), len(end)
    step = max(1, CELLS // max(n, 1))
    position = np.arange(n)
    found = []
    for start in range(0, takers, step):
        for taker, values in enumerate(scores(start, min(start + step, takers)), start):
            last, at = end[taker]
            is_open = (values < last) | ((values == last) & (position > at)) if lose_turn else free
            rows = np.flatnonzero(is_open)
            if len(rows) > size:
                least = np.partition(values[rows], len(rows) - size)[len(rows) - size]
                rows = rows[values[rows] >= least]
            rows = rows[np.argsort(-values[rows], kind="stable")][:size]
            if len(rows):
                end[taker] = (float(values[rows[-1]]), int(rows[-1]))
            found.append((rows, values[rows]))
    return found
