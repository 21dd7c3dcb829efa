"""The compiled loop of edit distance. Loaded on first use: numba is heavy."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.word_kernels import compiled


@compiled
def edit_distance(a: AnyArray, b: AnyArray) -> int:
    """Fewest insertions, deletions and substitutions that make one sequence of numbers of the other."""
    row = np.arange(len(b) + 1)
    for i in range(len(a)):
        diagonal, row[0] = row[0], i + 1
        for j in range(len(b)):
            above = row[j + 1]
            row[j + 1] = min(diagonal + (a[i] != b[j]), above + 1, row[j] + 1)
            diagonal = above
    return int(row[-1])
