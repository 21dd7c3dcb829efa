"""Compiled loops over word hashes: n-grams, their distinct sets, and MinHash. Loaded on first use: numba is heavy.

Words lie one row after the other, with offsets (n + 1). The kernels release the interpreter lock and never look across
rows.
"""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.word_kernels import compiled, mixed

SHINGLE_WORDS = 3

FACTOR = np.uint64(0x9E3779B97F4A7C15)
S32 = np.uint64(32)
LARGEST = np.uint32(0xFFFFFFFF)


@compiled
def gram_hash(words: AnyArray, start: int, size: int) -> np.uint64:
    """Hash of `size` consecutive word hashes; grams of different sizes never meet."""
    value = np.uint64(size)
    for k in range(start, start + size):
        value = value * FACTOR + words[k]
    return mixed(value)


@compiled
def sort_hashes(values: AnyArray, scratch: AnyArray, heads: AnyArray) -> None:
    """Sort well mixed 64-bit values in place: one bucket a value by their first bits, then insertion.

    `scratch` has room for the values, `heads` for more than twice as many.
    """
    bits = 1
    while (1 << bits) < len(values):
        bits += 1
    shift = np.uint64(64 - bits)
    heads[: (1 << bits) + 1] = 0
    for value in values:
        heads[(value >> shift) + np.uint64(1)] += 1
    for k in range(1, (1 << bits) + 1):
        heads[k] += heads[k - 1]
    for value in values:
        bucket = value >> shift
        scratch[heads[bucket]] = value
        heads[bucket] += 1
    for k in range(len(values)):
        value, at = scratch[k], k
        while at > 0 and values[at - 1] > value:
            values[at] = values[at - 1]
            at -= 1
        values[at] = value


@compiled
def unique_grams(words: AnyArray, offsets: AnyArray, size: int, whole: bool, out: AnyArray, counts: AnyArray) -> int:
    """Write the sorted distinct n-grams of each row, row after row; gives how many there are.

    A row with fewer words than `size` gives, with `whole`, one gram of what is there, and otherwise none.
    """
    longest = 2
    for row in range(len(counts)):
        longest = max(longest, offsets[row + 1] - offsets[row])
    scratch, heads = np.empty(longest, dtype=np.uint64), np.empty(2 * longest + 1, dtype=np.int32)
    place = 0
    for row in range(len(counts)):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        width = min(length, size) if whole else size
        begin = place
        if length >= width and length > 0:
            grams = out[begin : begin + length - width + 1]
            for k in range(len(grams)):
                grams[k] = gram_hash(words, start + k, width)
            sort_hashes(grams, scratch, heads)
            for k in range(len(grams)):
                if k == 0 or grams[k] != out[place - 1]:
                    out[place] = grams[k]
                    place += 1
        counts[row] = place - begin
    return place


@compiled
def hash_rows(words: AnyArray, offsets: AnyArray, out: AnyArray) -> None:
    """One hash of all words of each row, in order."""
    for row in range(len(out)):
        out[row] = gram_hash(words, offsets[row], offsets[row + 1] - offsets[row])


@compiled
def shingle(words: AnyArray, start: int, width: int) -> np.uint32:
    return np.uint32(gram_hash(words, start, width) >> S32)


@compiled
def minhash(
    words: AnyArray, offsets: AnyArray, first: int, last: int, factors: AnyArray, terms: AnyArray, out: AnyArray
) -> None:
    """Minima of `factor * shingle + term` modulo 2^32 over each row's shingles, four at a time; none ever stored.

    An odd factor makes every one of these a permutation of the 32-bit numbers.
    """
    permutations = len(factors)
    least = np.empty(permutations, dtype=np.uint32)
    for row in range(first, last):
        at, count = offsets[row], offsets[row + 1] - offsets[row]
        width = min(count, SHINGLE_WORDS)
        end = at + count - width + 1 if count else at
        least[:] = LARGEST
        while at + 4 <= end:
            a, b = shingle(words, at, width), shingle(words, at + 1, width)
            c, d = shingle(words, at + 2, width), shingle(words, at + 3, width)
            for p in range(permutations):
                f, t = factors[p], terms[p]
                low = min(np.uint32(f * a + t), np.uint32(f * b + t))
                least[p] = min(least[p], min(low, min(np.uint32(f * c + t), np.uint32(f * d + t))))
            at += 4
        while at < end:
            a = shingle(words, at, width)
            for p in range(permutations):
                least[p] = min(least[p], np.uint32(factors[p] * a + terms[p]))
            at += 1
        out[row] = least
