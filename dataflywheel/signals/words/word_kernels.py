"""Compiled loops over UTF-8 bytes: words and their hashes. Loaded on first use: numba is heavy.

A batch of texts is one array of bytes plus offsets (n + 1), folded as `words.py` does it. A word is a maximal run of
letters, digits, marks and underscores, an emoji is one by itself, and everything else separates. The kernels release
the interpreter lock and never look across rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import groupby
from typing import Any, TypeVar, cast

import numba
import numpy as np

from dataflywheel.contracts import AnyArray

SEPARATOR, WORD, ALONE = 0, 1, 2
EMOJI = (0x1F000, 0x1FAFF)
LAST_LISTED = 0x20000
"""From here on there are ideographs, and what has no meaning yet: words."""


def character_kind(point: int) -> int:
    """Letters, marks, numbers and what Unicode has not yet assigned make words, emoji are words, the rest separates."""
    if EMOJI[0] <= point <= EMOJI[1]:
        return ALONE
    category = unicodedata.category(chr(point))
    return WORD if category[0] in "LMN" or category in ("Cn", "Co") else SEPARATOR


KINDS = [(kind, next(points)) for kind, points in groupby(range(0x80, LAST_LISTED), character_kind)]
STARTS, KIND_FROM = np.array([s for _, s in KINDS], np.int64), np.array([k for k, _ in KINDS], np.uint8)
"""Where a run of characters of one kind begins, from the first one past ASCII on, and its kind."""

ASCII_WORD = np.array([ord(chr(b).lower()) if chr(b).isalnum() or chr(b) == "_" else 0 for b in range(128)], np.uint8)
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
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S27, S30, S31 = np.uint64(27), np.uint64(30), np.uint64(31)

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
def kind_in_words(point: Any) -> Any:
    """Whether a character of a folded text separates words, belongs to one, or is one."""
    if point < 128:
        return WORD if ASCII_WORD[point] else SEPARATOR
    if 0xF8 <= point < 0x2C0 or 0x4E00 <= point <= 0x9FFF or point >= LAST_LISTED:  # the common ranges, for speed alone
        return WORD
    if 0x2000 <= point < 0x2060:
        return SEPARATOR
    low, high = 0, len(STARTS)
    while high - low > 1:
        middle = (low + high) // 2
        if STARTS[middle] <= point:
            low = middle
        else:
            high = middle
    return np.int64(KIND_FROM[low])


@compiled
def kind_of(point: Any) -> Any:
    """`kind_in_words` of a text as it stands: a character of a script that is written without spaces is a word."""
    kind = kind_in_words(point)
    if kind == WORD and point >= UNSPACED[0, 0]:
        for k in range(len(UNSPACED)):
            if UNSPACED[k, 0] <= point <= UNSPACED[k, 1]:
                return ALONE
    return kind


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
def hash_row(data: AnyArray, at: int, end: int, hashes: AnyArray, lengths: AnyArray) -> Any:
    """Write the hash and, where `lengths` has room, the bytes of each word between two bytes; gives how many there are.

    ASCII letters are folded to lower case on the way; other characters are taken as they are.
    """
    measured = len(lengths) > 0
    count: Any = 0
    value, length = BASIS, np.int32(0)
    while at < end:
        byte = data[np.uint64(at)]
        if byte < 128:  # without a branch on what it is: where words end cannot be predicted, and a store costs less
            folded = ASCII_WORD[byte]
            hashes[np.uint64(count)] = value
            if measured:
                lengths[np.uint64(count)] = length
            count += np.int64(folded == 0) & np.int64(length > 0)
            following = (value ^ np.uint64(folded)) * PRIME
            value = following if folded else BASIS
            length = np.int32(length + 1) if folded else np.int32(0)
            at += 1
            continue
        point, width = code_point(data, at, end)
        kind = kind_in_words(point)
        if kind != WORD:
            hashes[count] = value
            if measured:
                lengths[count] = length
            count, value, length = count + np.int64(length > 0), BASIS, np.int32(0)
        if kind != SEPARATOR:
            for k in range(at, at + width):
                value = (value ^ np.uint64(data[k])) * PRIME
            length += np.int32(width)
        if kind == ALONE:
            hashes[count] = value
            if measured:
                lengths[count] = length
            count, value, length = count + 1, BASIS, np.int32(0)
        at += width
    if length:
        hashes[count] = value
        if measured:
            lengths[count] = length
        count += 1
    for k in range(count):
        hashes[k] = mixed(hashes[k])
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
