"""Takers that pick their best rows in turn: what selectors share that go by the likeness of rows to evaluation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray

CELLS = 1 << 25
"""Similarities held at once: 128 megabytes of float32."""
FEWEST = 16
"""Rows that a taker looks ahead at least."""

Takers = Literal["slice", "row"] | None
WhenTaken = Literal["lose_turn", "next_best"]
Scores = Callable[[int, int], FloatArray]
"""Similarity of takers `start` to `stop` with every row of the pool, (stop - start, n)."""


def groups_of(takers: Takers, slices: AnyArray | None, queries: AnyArray) -> tuple[list[str], list[AnyArray]]:
    """Names of the slices that take turns (none where rows do), and the positions of each taker's target rows.

    `slices` are the skills of all target rows, `queries` (q,) the positions of those that can be compared.
    """
    labels = np.array([""] * len(queries) if slices is None else slices[queries], dtype=str)
    names = sorted(set(labels.tolist()))
    if takers == "row" or (takers is None and len(names) == 1):
        return [], [queries[i : i + 1] for i in range(len(queries))]
    return names, [queries[labels == name] for name in names]


def best_of(
    groups: Sequence[AnyArray], likeness: Callable[[AnyArray], FloatArray], n: int, width: int = 0
) -> FloatArray:
    """Each group's largest likeness with every row of a pool of `n`, (groups, n), in bounded blocks.

    `likeness` gives that of target rows at some positions (m,) with all of the pool, (m, n); `width` are the numbers
    that it holds for each of them meanwhile.
    """
    best = np.full((len(groups), n), -np.inf, dtype=np.float32)
    members = np.concatenate(groups)
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    step = max(1, CELLS // max(n, width, 1))
    for start in range(0, len(members), step):
        found = likeness(members[start : start + step])
        present, first = np.unique(owner[start : start + step], return_index=True)
        best[present] = np.maximum(best[present], np.maximum.reduceat(found, first, axis=0))
    return best


def told(names: Sequence[str], groups: Sequence[AnyArray], by: AnyArray) -> dict[str, Any]:
    """What the notes of a selection say of its takers: the target rows that were compared, and the rows of each slice.

    `by` (m,) is who took each row.
    """
    notes: dict[str, Any] = {"queries": sum(len(group) for group in groups)}
    if names:
        notes["taken_by"] = dict(zip(names, np.bincount(by, minlength=len(groups)).tolist(), strict=True))
    return notes


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
