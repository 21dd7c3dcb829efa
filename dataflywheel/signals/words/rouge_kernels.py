"""Compiled comparison of word sequences: longest common subsequences. Loaded on first use, since numba is heavy."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.gram_kernels import distinct, place_of
from dataflywheel.signals.words.word_kernels import compiled

BITS = 64
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def common_subsequence(marks: AnyArray, known: AnyArray, text: AnyArray, size: int, row: AnyArray) -> int:
    """Length of the longest common subsequence of `text` and a sequence of `size` words, 64 of them at a time.

    The bit-vector algorithm of Hyyro (2004): bits of `row` that have become 0 are words of the subsequence. `marks` has
    for each of the sorted `known` words of the sequence a bit where it stands; `row` has room for as many bits.
    """
    row[:] = ALL
    for word in text:
        place = place_of(known, word)
        if place == len(known) or known[place] != word:
            continue
        carry = np.uint64(0)
        for k in range(len(row)):
            before, here = row[k], row[k] & marks[place, k]
            total = before + here
            over = np.uint64(total < before)
            total += carry
            over |= np.uint64(total < carry)
            row[k] = total | (before & ~here)
            carry = over
    common = 0
    for i in range(size):
        common += ((row[i // BITS] >> np.uint64(i % BITS)) & np.uint64(1)) == 0
    return common


@compiled
def common_subsequences(query: AnyArray, flat: AnyArray, starts: AnyArray, ends: AnyArray, lengths: AnyArray) -> None:
    """Write the length of the longest common subsequence of `query` with each piece [start, end) of `flat`."""
    room = np.empty(2 * max(len(query), 2) + 1, dtype=np.int32)
    known = distinct(query.copy(), np.empty(len(query), dtype=np.uint64), room)
    marks = np.zeros((len(known), (len(query) + BITS - 1) // BITS), dtype=np.uint64)
    for i in range(len(query)):
        marks[place_of(known, query[i]), i // BITS] |= np.uint64(1) << np.uint64(i % BITS)
    row = np.empty(marks.shape[1], dtype=np.uint64)
    for k in range(len(starts)):
        lengths[k] = common_subsequence(marks, known, flat[starts[k] : ends[k]], len(query), row)
