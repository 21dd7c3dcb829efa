"""Compiled comparison of word sequences: longest common subsequences. Loaded on first use, since numba is heavy."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.word_kernels import compiled


@compiled
def common_subsequence(a: AnyArray, b: AnyArray, row: AnyArray) -> int:
    """Length of the longest common subsequence of two sequences; `row` has room for len(b) + 1 numbers."""
    row[: len(b) + 1] = 0
    for i in range(len(a)):
        diagonal = 0
        for j in range(len(b)):
            above = row[j + 1]
            if a[i] == b[j]:
                row[j + 1] = diagonal + 1
            elif row[j] > above:
                row[j + 1] = row[j]
            diagonal = above
    return int(row[len(b)])


@compiled
def common_subsequences(query: AnyArray, flat: AnyArray, starts: AnyArray, ends: AnyArray, lengths: AnyArray) -> None:
    """Write the length of the longest common subsequence of `query` with each piece [start, end) of `flat`."""
    longest = 0
    for k in range(len(starts)):
        longest = max(longest, ends[k] - starts[k])
    row = np.empty(longest + 1, dtype=np.int32)
    for k in range(len(starts)):
        lengths[k] = common_subsequence(query, flat[starts[k] : ends[k]], row)
