"""Compiled lookup of a text's n-grams among those of the target. Loaded on first use, since numba is heavy."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.gram_kernels import gram_hash
from dataflywheel.signals.word_kernels import compiled

FILTER_SHIFT = np.uint64(42)
FILTER_PLACES = 1 << 22


@compiled
def gram_filter(grams: AnyArray) -> AnyArray:
    """A byte for every value of a gram's upper 22 bits: most grams of a pool are ruled out by one look."""
    present = np.zeros(FILTER_PLACES, dtype=np.bool_)
    for k in range(len(grams)):
        present[np.int64(grams[k] >> FILTER_SHIFT)] = True
    return present


@compiled
def find_grams(
    words: AnyArray, offsets: AnyArray, size: int, grams: AnyArray, present: AnyArray, rows: AnyArray, hits: AnyArray
) -> int:
    """Write (row, index into the sorted `grams`) of each n-gram of each row that is among them; gives how many."""
    found = 0
    for row in range(len(offsets) - 1):
        for start in range(offsets[row], offsets[row + 1] - size + 1):
            gram = gram_hash(words, start, size)
            if not present[np.int64(gram >> FILTER_SHIFT)]:
                continue
            place = np.searchsorted(grams, gram)
            if place < len(grams) and grams[place] == gram:
                rows[found], hits[found] = row, place
                found += 1
    return found
