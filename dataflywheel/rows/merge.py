"""Which rows are copies of an earlier one: on ids alone, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def merge(ids: Array, copies: Array) -> tuple[Array, Array]:
    """Mask of first appearances and the copies that each stands for.

    Args:
        ids: (n, 2) uint64. copies: (n,) how often each row counts already.

    Returns:
        keep (n,) bool, total (n,) int64 with the sum over equal ids at first appearances, 0 elsewhere.
    """
    keep = np.zeros(len(ids), bool)
    total = np.zeros(len(ids), np.int64)
    if len(ids):
        order = np.lexsort((ids[:, 1], ids[:, 0]))
        ordered = ids[order]
        starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
        first = order[starts]
        keep[first] = True
        total[first] = np.add.reduceat(copies[order], starts)
    return keep, total
