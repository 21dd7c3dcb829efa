"""Compiled loops over word hashes: n-grams, their distinct sets, and MinHash. Loaded on first use: numba is heavy.

Words lie one row after the other, with offsets (n + 1). The kernels release the interpreter lock and never look across
rows.
"""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.word_kernels import compiled, mixed

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
def place_of(ordered: AnyArray, value: np.uint64) -> int:
    """Where the value stands in ascending ones, or would; numpy's own takes a second to compile in each kernel."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def hash_grams(words: AnyArray, start: int, length: int, size: int, out: AnyArray) -> AnyArray:
    """The n-grams of one row of words, in order, at the beginning of `out`."""
    grams = out[: length - size + 1]
    for k in range(len(grams)):
        grams[k] = gram_hash(words, start + k, size)
    return grams


@compiled
def distinct(grams: AnyArray, scratch: AnyArray, heads: AnyArray) -> AnyArray:
    """The grams sorted and each only once, at the beginning of the same array; scratch as for `sort_hashes`."""
    sort_hashes(grams, scratch, heads)
    used = 0
    for gram in grams:
        if used == 0 or gram != grams[used - 1]:
            grams[used] = gram
            used += 1
    return grams[:used]


@compiled
def scratch_for(offsets: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Scratch of `sort_hashes` that does for the longest row."""
    longest = 2
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return np.empty(longest, dtype=np.uint64), np.empty(2 * longest + 1, dtype=np.int32)


@compiled
def unique_grams(words: AnyArray, offsets: AnyArray, size: int, whole: bool, out: AnyArray, counts: AnyArray) -> int:
    """Write the sorted distinct n-grams of each row, row after row; gives how many there are.

    A row with fewer words than `size` gives, with `whole`, one gram of what is there, and otherwise none.
    """
    scratch, heads = scratch_for(offsets)
    place = 0
    for row in range(len(counts)):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        width = min(length, size) if whole else size
        counts[row] = 0
        if length >= width and length > 0:
            counts[row] = len(distinct(hash_grams(words, start, length, width, out[place:]), scratch, heads))
        place += counts[row]
    return place


@compiled
def hash_rows(words: AnyArray, offsets: AnyArray, out: AnyArray) -> None:
    """One hash of all words of each row, in order."""
    for row in range(len(out)):
        out[row] = gram_hash(words, offsets[row], offsets[row + 1] - offsets[row])


@compiled
def minima(grams: AnyArray, factors: AnyArray, terms: AnyArray, least: AnyArray) -> None:
    """Write the minima of `factor * gram + term` modulo 2^32 over the high halves of the grams, four at a time.

    An odd factor makes every one of these a permutation of the 32-bit numbers.
    """
    least[:] = LARGEST
    whole = len(grams) - len(grams) % 4
    for at in range(0, whole, 4):
        a, b = np.uint32(grams[at] >> S32), np.uint32(grams[at + 1] >> S32)
        c, d = np.uint32(grams[at + 2] >> S32), np.uint32(grams[at + 3] >> S32)
        for p in range(len(least)):
            f, t = factors[p], terms[p]
            low = min(np.uint32(f * a + t), np.uint32(f * b + t))
            least[p] = min(least[p], min(low, min(np.uint32(f * c + t), np.uint32(f * d + t))))
    for at in range(whole, len(grams)):
        a = np.uint32(grams[at] >> S32)
        for p in range(len(least)):
            least[p] = min(least[p], np.uint32(factors[p] * a + terms[p]))


@compiled
def sign_rows(
    words: AnyArray,
    offsets: AnyArray,
    factors: AnyArray,
    terms: AnyArray,
    kept: bool,
    flat: AnyArray,
    sizes: AnyArray,
    out: AnyArray,
) -> None:
    """Write the MinHash signature of each row's shingles to `out` (n, permutations) and, if `kept`, its shingles.

    Shingles lie in `flat` as `unique_grams` writes them, `sizes` (n,) of them a row; what is not kept needs room for
    one row.
    """
    scratch, heads = scratch_for(offsets)
    least = np.empty(len(factors), dtype=np.uint32)
    place = 0
    for row in range(len(out)):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        grams = flat[:0]
        if length > 0:
            grams = hash_grams(words, start, length, min(length, SHINGLE_WORDS), flat[place:])
        if kept and length > 0:
            grams = distinct(grams, scratch, heads)
            sizes[row] = len(grams)
            place += len(grams)
        minima(grams, factors, terms, least)
        out[row] = least
