"""Compiled loops over UTF-8 bytes: words, their hashes, word n-grams and MinHash. Loaded on first use: numba is heavy.

A batch of texts is one array of bytes plus offsets (n + 1). A word is a maximal run of letters, digits, marks and
underscores; a character of a script that is written without spaces (Han, Kana, Hangul, Thai, Lao, Khmer, Burmese)
and an emoji are a word each; everything else separates. The kernels release the interpreter lock and never look across
rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from dataflywheel.contracts import AnyArray

SEPARATOR, WORD, ALONE = 0, 1, 2
SHINGLE_WORDS = 3

ASCII_WORD = np.array([ord(chr(b).lower()) if chr(b).isalnum() or chr(b) == "_" else 0 for b in range(128)], np.uint8)
SEPARATORS = np.array(
    [
        (0x80, 0xA9), (0xAB, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x060C, 0x060C),
        (0x061B, 0x061F), (0x06D4, 0x06D4), (0x0964, 0x0965), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2190, 0x2BFF),
        (0x2E00, 0x2E7F), (0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0xFE10, 0xFE1F), (0xFE30, 0xFE6F),
        (0xFEFF, 0xFEFF), (0xFF00, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65), (0xFFF0, 0xFFFF),
    ],
    dtype=np.int64,
)  # fmt: skip
UNSPACED = np.array(
    [
        (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3021, 0x302F),
        (0x3031, 0x318F), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF),
        (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x1F000, 0x1FAFF), (0x20000, 0x3FFFF),
    ],
    dtype=np.int64,
)  # fmt: skip

PRIME = np.uint64(0x100000001B3)
BASIS = np.uint64(0xCBF29CE484222325)
FACTOR = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31, S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
LARGEST = np.uint32(0xFFFFFFFF)

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile on first call and keep the machine code on disk for the next process."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


@compiled
def code_point(data: AnyArray, at: int, end: int) -> tuple[Any, int]:
    """The character that starts at `at`, and its width in bytes."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1
    width = 2 if first < 0xE0 else (3 if first < 0xF0 else 4)
    point = first & (0x1F if width == 2 else (0x0F if width == 3 else 0x07))
    width = min(width, end - at)
    for k in range(1, width):
        point = (point << 6) | (np.int64(data[at + k]) & 0x3F)
    return point, width


@compiled
def kind_of(point: Any) -> Any:
    """Whether a character separates words, belongs to one, or is one."""
    if point < 128:
        return WORD if ASCII_WORD[point] else SEPARATOR
    if 0xC0 <= point < 0x600 and point != 0xD7 and point != 0xF7:  # the common ranges first, for speed alone
        return WORD
    if 0x4E00 <= point <= 0x9FFF:
        return ALONE
    for k in range(len(SEPARATORS)):
        if SEPARATORS[k, 0] <= point <= SEPARATORS[k, 1]:
            return SEPARATOR
    for k in range(len(UNSPACED)):
        if UNSPACED[k, 0] <= point <= UNSPACED[k, 1]:
            return ALONE
    return WORD


@compiled
def next_word(data: AnyArray, at: int, end: int) -> tuple[int, int]:
    """First and past-the-last byte of the next word from `at`; (end, end) where there is none."""
    kind, width = SEPARATOR, 1
    while at < end:
        point, width = code_point(data, at, end)
        kind = kind_of(point)
        if kind != SEPARATOR:
            break
        at += width
    if at >= end:
        return end, end
    start = at
    at += width
    while kind == WORD and at < end:
        point, width = code_point(data, at, end)
        if kind_of(point) != WORD:
            break
        at += width
    return start, at


@compiled
def mixed(value: np.uint64) -> np.uint64:
    """Every input bit spread over all output bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> S30)) * MIX_1
    value = (value ^ (value >> S27)) * MIX_2
    return value ^ (value >> S31)


@compiled
def hash_row(data: AnyArray, at: int, end: int, hashes: AnyArray, lengths: AnyArray) -> int:
    """Write the hash and, where `lengths` has room, the bytes of each word between two bytes; gives how many there are.

    ASCII letters are folded to lower case on the way; other characters are taken as they are.
    """
    measured = len(lengths) > 0
    count, value, length = 0, BASIS, 0
    while at < end:
        byte = data[at]
        if byte < 128:
            folded = ASCII_WORD[byte]
            if folded:
                value = (value ^ np.uint64(folded)) * PRIME
                length += 1
                at += 1
                continue
            kind, width = SEPARATOR, 1
        else:
            point, width = code_point(data, at, end)
            kind = kind_of(point)
        if length and kind != WORD:
            hashes[count] = mixed(value)
            if measured:
                lengths[count] = length
            count, value, length = count + 1, BASIS, 0
        if kind != SEPARATOR:
            for k in range(at, at + width):
                value = (value ^ np.uint64(data[k])) * PRIME
            length += width
        if kind == ALONE:
            hashes[count] = mixed(value)
            if measured:
                lengths[count] = length
            count, value, length = count + 1, BASIS, 0
        at += width
    if length:
        hashes[count] = mixed(value)
        if measured:
            lengths[count] = length
        count += 1
    return count


@compiled
def hash_words(
    data: AnyArray, offsets: AnyArray, first: int, last: int, hashes: AnyArray, lengths: AnyArray, counts: AnyArray
) -> int:
    """Write the words of a range of rows one after the other, and how many each row has; gives their sum."""
    place = 0
    for row in range(first, last):
        counts[row] = hash_row(data, offsets[row], offsets[row + 1], hashes[place:], lengths[place:])
        place += counts[row]
    return place


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
def unique_grams(
    words: AnyArray, starts: AnyArray, stops: AnyArray, size: int, whole: bool, out: AnyArray, counts: AnyArray
) -> int:
    """Write the sorted distinct n-grams of the words between starts and stops, row after row; gives how many there are.

    A row with fewer words than `size` gives, with `whole`, one gram of what is there, and otherwise none.
    """
    longest = 2
    for row in range(len(starts)):
        longest = max(longest, stops[row] - starts[row])
    scratch, heads = np.empty(longest, dtype=np.uint64), np.empty(2 * longest + 1, dtype=np.int32)
    place = 0
    for row in range(len(starts)):
        start, length = starts[row], stops[row] - starts[row]
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
