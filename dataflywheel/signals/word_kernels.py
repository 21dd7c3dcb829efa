"""Compiled loops over UTF-8 bytes: words, their hashes, word n-grams and MinHash. Loaded on first use: numba is heavy.

A batch of texts is one array of bytes plus offsets (n + 1). A word is a maximal run of letters, digits, marks and
underscores; a character of a script that is written without spaces (Han, Kana, Hangul, Thai, Lao, Khmer, Burmese)
and an emoji are a word each; everything else separates. The kernels release the interpreter lock, hold no more than one
row's words at a time, and never look across rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from dataflywheel.contracts import AnyArray

SEPARATOR, WORD, ALONE = 0, 1, 2
SHINGLE_WORDS = 3

ASCII_KIND = np.array([WORD if chr(b).isalnum() or chr(b) == "_" else SEPARATOR for b in range(128)], dtype=np.uint8)
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
LARGEST = np.uint64(0xFFFFFFFFFFFFFFFF)

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
        return np.int64(ASCII_KIND[point])
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
def word_hash(data: AnyArray, start: int, stop: int) -> np.uint64:
    value = BASIS
    for k in range(start, stop):
        value = (value ^ np.uint64(data[k])) * PRIME
    return mixed(value)


@compiled
def gram_hash(words: AnyArray, start: int, size: int) -> np.uint64:
    """Hash of `size` consecutive word hashes; grams of different sizes never meet."""
    value = np.uint64(size)
    for k in range(start, start + size):
        value = value * FACTOR + words[k]
    return mixed(value)


@compiled
def count_words(data: AnyArray, offsets: AnyArray, first: int, last: int, counts: AnyArray) -> None:
    for row in range(first, last):
        at, end, count = offsets[row], offsets[row + 1], 0
        while True:
            start, at = next_word(data, at, end)
            if start == end:
                break
            count += 1
        counts[row] = count


@compiled
def hash_words(
    data: AnyArray, offsets: AnyArray, first: int, last: int, word_offsets: AnyArray, hashes: AnyArray
) -> None:
    """Fill the hashes of each row's words at the row's place in one flat array."""
    for row in range(first, last):
        at, end, place = offsets[row], offsets[row + 1], word_offsets[row]
        while True:
            start, at = next_word(data, at, end)
            if start == end:
                break
            hashes[place] = word_hash(data, start, at)
            place += 1


@compiled
def unique_grams(
    words: AnyArray,
    offsets: AnyArray,
    first: int,
    last: int,
    size: int,
    whole_if_short: bool,
    flat: AnyArray,
    counts: AnyArray,
) -> None:
    """Sorted distinct n-grams of each row at the row's own word offset; `counts[row]` of the places are used.

    A row with fewer words than `size` gives one gram of what is there, or none.
    """
    for row in range(first, last):
        start, length = offsets[row], offsets[row + 1] - offsets[row]
        width = min(length, size) if whole_if_short else size
        counts[row] = 0
        if length < width or length == 0:
            continue
        grams = np.empty(length - width + 1, dtype=np.uint64)
        for k in range(len(grams)):
            grams[k] = gram_hash(words, start + k, width)
        grams.sort()
        used = 0
        for k in range(len(grams)):
            if k == 0 or grams[k] != grams[k - 1]:
                flat[start + used] = grams[k]
                used += 1
        counts[row] = used


@compiled
def hash_rows(words: AnyArray, offsets: AnyArray, out: AnyArray) -> None:
    """One hash of all words of each row, in order."""
    for row in range(len(out)):
        out[row] = gram_hash(words, offsets[row], offsets[row + 1] - offsets[row])


@compiled
def minhash(
    data: AnyArray,
    offsets: AnyArray,
    first: int,
    last: int,
    factors: AnyArray,
    terms: AnyArray,
    out: AnyArray,
    counts: AnyArray,
) -> None:
    """Minima of `factor * shingle + term` over each row's shingles; only the last three words are ever held.

    The minimum of the 64-bit values has the minimum of their upper halves as its upper half, so that the shift is done
    once a row and not once a shingle.
    """
    permutations = len(factors)
    least = np.empty(permutations, dtype=np.uint64)
    held = np.empty(SHINGLE_WORDS, dtype=np.uint64)
    for row in range(first, last):
        at, end, count = offsets[row], offsets[row + 1], 0
        least[:] = LARGEST
        while True:
            start, at = next_word(data, at, end)
            if start == end:
                break
            if count >= SHINGLE_WORDS:
                held[0], held[1] = held[1], held[2]
                held[2] = word_hash(data, start, at)
            else:
                held[count] = word_hash(data, start, at)
            count += 1
            if count >= SHINGLE_WORDS:
                shingle = gram_hash(held, 0, SHINGLE_WORDS)
                for p in range(permutations):
                    least[p] = min(least[p], factors[p] * shingle + terms[p])
        if 0 < count < SHINGLE_WORDS:
            shingle = gram_hash(held, 0, count)
            for p in range(permutations):
                least[p] = min(least[p], factors[p] * shingle + terms[p])
        for p in range(permutations):
            out[row, p] = np.uint32(least[p] >> S32)
        counts[row] = count
