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
