"""Compiled comparisons of sets of hashes: sorted, distinct 64-bit numbers, many sets one after the other in one array.

Loaded on first use, since numba is heavy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.word_kernels import compiled

MARKS, MARK_SHIFT = 1 << 14, np.uint64(64 - 14)


@compiled
def jaccard(flat: AnyArray, a: int, a_end: int, b: int, b_end: int, least: float) -> float:
    """Shared over all members of two sorted sets that lie in one array; 0 once it cannot reach `least` any more.

    The sets are merged from both ends at once: each end waits for its last comparison before it can go on.
    """
    total: Any = (a_end - a) + (b_end - b)
    shared: Any = 0
    alone: Any = 0
    allowed = np.int64(total * (1 - least) / (1 + least) + 1e-6)
    while a_end - a > 1 and b_end - b > 1 and alone <= allowed:
        x, y = flat[np.uint64(a)], flat[np.uint64(b)]
        u, v = flat[np.uint64(a_end - 1)], flat[np.uint64(b_end - 1)]
        same = np.int64(x == y) + np.int64(u == v)
        shared += same
        alone += 2 - same
        a += x <= y
        b += y <= x
        a_end -= u >= v
        b_end -= v >= u
    while a < a_end and b < b_end and alone <= allowed:
        x, y = flat[np.uint64(a)], flat[np.uint64(b)]
        shared += x == y
        alone += x != y
        a += x <= y
        b += y <= x
    return shared / (total - shared) if alone <= allowed and total > shared else 0.0


@compiled
def set_marks(flat: AnyArray, a: int, a_end: int, marks: AnyArray, value: Any) -> None:
    """Write `value` where the first bits of a set's members point to."""
    for k in range(a, a_end):
        marks[flat[np.uint64(k)] >> MARK_SHIFT] = value


@compiled
def may_reach(flat: AnyArray, size: int, b: int, b_end: int, marks: AnyArray, least: float) -> bool:
    """Whether a set can have a Jaccard similarity of `least` with the set of `size` members that is marked.

    A member without a mark is surely not shared; one with a mark may be. This settles most pairs that are no copies
    without a merge, in which every step waits for the one before.
    """
    allowed = np.int64((size + b_end - b) * (1 - least) / (1 + least) + 1e-6)
    alone: Any = size - (b_end - b)
    while b < b_end and alone <= allowed:
        stop = min(b + 64, b_end)
        missing = np.int64(stop - b)
        for k in range(b, stop):
            missing -= np.int64(marks[flat[np.uint64(k)] >> MARK_SHIFT])
        alone += 2 * missing
        b = stop
    return bool(alone <= allowed)
