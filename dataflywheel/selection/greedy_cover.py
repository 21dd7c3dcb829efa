"""Greedy maximisation of facility location: choose rows so that every row has a chosen one that is like it.

The objective of a set S is `sum_i max_{j in S} max(0, cos(i, j))`; it is monotone and submodular, so the greedy set
is worth at least 1 - 1/e of the best set of its size (Nemhauser et al., 1978). Lazy evaluation (Minoux, 1978) gives
the same set: gains only fall, so a candidate whose old gain is not the largest need not be looked at.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray

TILE = 512
SEED = 0  # of the random partition: it must not depend on anything but the rows

Greedy = Callable[[AnyArray, int], tuple[AnyArray, AnyArray]]


def similarities(vectors: AnyArray) -> AnyArray:
    """`max(0, cos)` of unit vectors (n, d) as float32 (n, n), exactly symmetric; one product a pair of tiles."""
    n = len(vectors)
    result = np.empty((n, n), dtype=np.float32)
    for i in range(0, n, TILE):
        for j in range(i, n, TILE):
            tile = np.maximum(vectors[i : i + TILE] @ vectors[j : j + TILE].T, 0)
            result[i : i + TILE, j : j + TILE] = tile
            if i != j:
                result[j : j + TILE, i : i + TILE] = tile.T
    return result


def _lazy_greedy(similarity: AnyArray, budget: int) -> tuple[AnyArray, AnyArray]:
    candidates, rows = similarity.shape
    best = np.zeros(rows, dtype=np.float32)
    order = np.empty(budget, dtype=np.int64)
    gains = np.empty(budget, dtype=np.float64)
    # Entries are (-gain, candidate): of equal gains the smaller index comes first. A fresh gain that returns to the top
    # beats every stale one, because a stale gain is an upper bound; float addition in fixed order keeps it one.
    heap = [(-np.inf, 0)] * candidates
    for candidate in range(candidates):
        heap[candidate] = (-np.inf, candidate)
    heapq.heapify(heap)
    fresh = np.full(candidates, -1, dtype=np.int64)
    for step in range(budget):
        while fresh[heap[0][1]] != step:
            candidate = heap[0][1]
            values = similarity[candidate]
            gain = 0.0
            for row in range(rows):
                gain += max(values[row] - best[row], np.float32(0.0))
            fresh[candidate] = step
            heapq.heapreplace(heap, (-gain, candidate))
        top = heapq.heappop(heap)
        order[step], gains[step] = top[1], -top[0]
        values = similarity[top[1]]
        for row in range(rows):
            best[row] = max(best[row], values[row])
    return order, gains


@functools.cache
def compiled() -> Greedy:
    """The loop above as machine code: gain, comparison and sum in one pass over a row of similarities."""
    from numba import njit

    kernel: Greedy = njit(cache=True, fastmath={"reassoc", "nsz", "contract"})(_lazy_greedy)
    return kernel


def lazy_greedy(similarity: AnyArray, budget: int) -> tuple[AnyArray, FloatArray]:
    """Candidates in greedy order with their gains.

    Args:
        similarity: float32 (candidates, rows), non-negative: how well a candidate stands for a row.
        budget: how many to choose; at most all candidates.

    Returns:
        Indices (k,) of candidates and the objective's increments (k,); ties go to the smaller index.
    """
    return compiled()(np.ascontiguousarray(similarity, dtype=np.float32), min(budget, len(similarity)))


def cover(vectors: AnyArray, budget: int, capacity: int) -> tuple[AnyArray, FloatArray, bool]:
    """Greedy facility location of unit vectors (n, d) with at most `capacity` x `capacity` similarities in memory.

    Returns:
        Indices, gains, and whether the result is the exact greedy one (see `partitioned` for what it is otherwise).
    """
    if len(vectors) <= capacity:
        return *lazy_greedy(similarities(vectors), budget), True
    return *partitioned(vectors, min(budget, len(vectors)), capacity), False


def partitioned(vectors: AnyArray, budget: int, capacity: int) -> tuple[AnyArray, FloatArray]:
    """Greedy in random parts, then greedy over what the parts chose (GreeDi; Mirzasoleiman et al., 2013).

    With every part choosing `budget` rows the better of the merged and the best part's set is worth, in expectation
    over the partition, at least (1 - 1/e) / 2 of the best set (Barbosa et al., 2015), here up to the error of
    estimating the objective from `capacity` or more random rows. Parts choose fewer where their union would exceed
    `capacity`; where even that leaves fewer than `budget` candidates each part fills its own share, within 1 - 1/e of
    the best for that share.
    """
    n = len(vectors)
    shuffled = np.random.default_rng(SEED).permutation(n)
    parts = [np.sort(part) for part in np.array_split(shuffled, -(-n // capacity))]
    per_part = min(budget, capacity // len(parts))
    if per_part * len(parts) < max(budget, 1):
        return _shares(vectors, parts, budget)
    chosen = [part[lazy_greedy(similarities(vectors[part]), per_part)[0]] for part in parts]
    union = np.sort(np.concatenate(chosen))
    sample = np.sort(shuffled[: capacity * capacity // len(union)])
    similarity = np.maximum(vectors[union] @ vectors[sample].T, 0)
    scale = n / len(sample)
    order, gains = lazy_greedy(similarity, budget)
    best, value = union[order], float(gains.sum())
    for part in chosen if per_part == budget else []:
        steps = np.maximum.accumulate(similarity[np.searchsorted(union, part)], axis=0).sum(axis=1, dtype=np.float64)
        if steps[-1] > value:
            best, gains, value = part, np.diff(steps, prepend=0.0), float(steps[-1])
    return best, gains * scale


def _shares(vectors: AnyArray, parts: list[AnyArray], budget: int) -> tuple[AnyArray, FloatArray]:
    """Each part's greedy share of the budget, by descending gain."""
    ends = np.cumsum([len(part) for part in parts]) * budget // len(vectors)
    rows, gains = [], []
    for part, share in zip(parts, np.diff(ends, prepend=0), strict=True):
        order, gain = lazy_greedy(similarities(vectors[part]), int(share))
        rows.append(part[order])
        gains.append(gain)
    chosen, gain = np.concatenate(rows), np.concatenate(gains)
    best = np.lexsort((chosen, -gain))
    return chosen[best], gain[best]
