"""Greedy facility location over rows whose similarities do not fit in memory at once."""

from __future__ import annotations

import heapq

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.selection.greedy_cover import SEED, lazy_greedy, similarities

OFFERED = 4
"""Times as many candidates as rows that are wanted."""
FEWEST = 256
"""Candidates of a part, at least."""
TOGETHER = 32
"""Candidates whose gains are computed at once; memory holds so many similarities a row."""
NEAR = 0.002
"""A candidate is taken when no other can gain more than this much more."""


def cover(vectors: AnyArray, budget: int, capacity: int) -> tuple[AnyArray, FloatArray, bool]:
    """Greedy facility location of unit vectors (n, d) with at most `capacity` x `capacity` similarities in memory.

    Returns:
        Indices, gains, and whether the result is the exact greedy one (see `partitioned` for what it is otherwise).
    """
    if len(vectors) <= capacity:
        return *lazy_greedy(similarities(vectors), budget), True
    return *partitioned(vectors, min(budget, len(vectors)), max(capacity // 2, 1)), False


def partitioned(vectors: AnyArray, budget: int, capacity: int) -> tuple[AnyArray, FloatArray]:
    """Greedy over what random parts put forward, its gains computed over all rows.

    Candidates come from parts of at most `capacity` rows, each greedy by itself (GreeDi; Mirzasoleiman et al., 2013);
    they are four times as many as are wanted, where there are so many. The greedy choice among them counts every row,
    so the gains are the objective's true increments. It comes to 0.99 of the exact greedy objective or more on the sets
    that the tests plant; what is guaranteed in expectation over the partition is (1 - 1/e) / 2 of the best set (Barbosa
    et al., 2015) where each part puts `budget` rows forward.

    Returns:
        Rows (k,) in the order in which they were chosen, and the objective's increments (k,).
    """
    n = len(vectors)
    shuffled = np.random.default_rng(SEED).permutation(n)
    parts = [np.sort(part) for part in np.array_split(shuffled, -(-n // capacity))]
    each = max(-(-OFFERED * budget // len(parts)), FEWEST)
    offered = [part[lazy_greedy(similarities(vectors[part]), min(each, len(part)))[0]] for part in parts]
    return blocked_greedy(vectors, np.sort(np.concatenate(offered)), budget)


def blocked_greedy(vectors: AnyArray, candidates: AnyArray, budget: int) -> tuple[AnyArray, FloatArray]:
    """Lazy greedy among `candidates` (c,) for all rows of `vectors`, unit vectors (n, d).

    Each choice gains at least 1 / (1 + `NEAR`) of what the best candidate would; ties go to the smaller position.
    """
    best = np.zeros(len(vectors), dtype=np.float32)
    heap: list[tuple[float, int]] = []
    for start in range(0, len(candidates), TOGETHER):
        part = candidates[start : start + TOGETHER]
        heap += [(-gain, start + i) for i, gain in enumerate(_gains(vectors, part, best))]
    heapq.heapify(heap)
    order: list[int] = []
    gains: list[float] = []
    while heap and len(order) < budget:
        place, gain = _next(vectors, candidates, best, heap)
        order.append(int(candidates[place]))
        gains.append(gain)
        np.maximum(best, vectors @ vectors[candidates[place]], out=best)
    return np.array(order, dtype=np.int64), np.array(gains, dtype=np.float64)


def _next(vectors: AnyArray, candidates: AnyArray, best: AnyArray, heap: list[tuple[float, int]]) -> tuple[int, float]:
    """The candidate of the largest gain and that gain; old gains are upper bounds, since gains only fall."""
    fresh: list[tuple[float, int]] = []
    while heap and (not fresh or -fresh[0][0] * (1 + NEAR) < -heap[0][0]):
        looked = [heapq.heappop(heap)[1] for _ in range(min(TOGETHER, len(heap)))]
        found = _gains(vectors, candidates[looked], best)
        fresh += [(-gain, place) for gain, place in zip(found, looked, strict=True)]
        heapq.heapify(fresh)
    gain, place = heapq.heappop(fresh)
    for rest in fresh:
        heapq.heappush(heap, rest)
    return place, -gain


def _gains(vectors: AnyArray, rows: AnyArray, best: AnyArray) -> list[float]:
    """What each of these rows would add for all rows."""
    more = vectors[rows] @ vectors.T
    more -= best
    np.maximum(more, 0, out=more)
    gains: list[float] = more.sum(axis=1, dtype=np.float64).tolist()
    return gains
