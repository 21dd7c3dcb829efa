"""Texts as sets of hashed word n-grams: what duplicates and leaks are found with.

Texts are compared without regard to case, spacing, punctuation and the forms that `words.py` makes one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.words import folded_text

PERMUTATIONS = 128
PIECE = 1 << 21
CHARACTERS_A_WORD = 4
"""Room is made for a word in so many characters; texts with more words than this take another array."""
T = TypeVar("T")


def utf8(texts: Sequence[str] | pa.LargeStringArray) -> tuple[AnyArray, AnyArray]:
    """The UTF-8 bytes of all texts in one uint8 array, and the offsets (n + 1, int64) of each in it."""
    array = texts if isinstance(texts, pa.LargeStringArray) else pa.array(texts, pa.large_string())
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return np.zeros(0, dtype=np.uint8), np.zeros(len(array) + 1, dtype=np.int64)
    return np.frombuffer(data, dtype=np.uint8), np.frombuffer(offsets, dtype=np.int64)[: len(array) + 1]


def folded(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """`utf8` of the texts as `folded_text` gives them; ASCII texts as they are: the kernels fold those."""
    return utf8([text if text.isascii() else folded_text(text) for text in texts])


def in_threads(work: Callable[[int, int], T], offsets: AnyArray) -> list[T]:
    """`work(first, last)` over ranges of rows of about `PIECE` bytes (or words), side by side; the results in order."""
    rows, total = len(offsets) - 1, int(offsets[-1] - offsets[0])
    pieces = max(1, total // PIECE)
    cuts = np.searchsorted(offsets, offsets[0] + total * np.arange(1, pieces) // pieces)
    bounds = [0, *np.minimum(cuts, rows).tolist(), rows]
    ranges = [(a, b) for a, b in pairwise(bounds) if a < b]
    if len(ranges) <= 1:
        return [work(a, b) for a, b in ranges]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(ranges))) as pool:
        return list(pool.map(lambda piece: work(*piece), ranges))


def word_hashes(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """Hashes (uint64) of the words of all texts in order, flat, and the offsets (n + 1, int64) of each text in them."""
    sizes = np.zeros(len(texts), dtype=np.int64)

    def work(first: int, last: int) -> AnyArray:  # one piece is encoded while another is hashed
        words, offsets = piece_of(texts, first, last)
        sizes[first:last] = np.diff(offsets)
        return words

    return joined(in_threads(work, characters(texts))), offsets_of(sizes)


def piece_of(texts: Sequence[str], first: int, last: int) -> tuple[AnyArray, AnyArray]:
    """`word_hashes` of some of the texts."""
    data, bounds = folded(texts[first:last])
    counts = np.zeros(last - first, dtype=np.int64)
    words, _ = piece_words(data, bounds, 0, last - first, counts)
    return words, offsets_of(counts)


def joined(parts: list[AnyArray]) -> AnyArray:
    return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])


def characters(texts: Sequence[str]) -> AnyArray:
    """Offsets (n + 1) of the texts in characters."""
    return offsets_of(np.fromiter(map(len, texts), np.int64, len(texts)))


def piece_words(
    data: AnyArray, bounds: AnyArray, first: int, last: int, counts: AnyArray, measured: bool = False
) -> tuple[AnyArray, AnyArray]:
    """Hashes and, if `measured`, byte lengths of the words of some rows; how many each row has goes into `counts`."""
    from dataflywheel.signals.words.word_kernels import hash_words

    room = int(bounds[last] - bounds[first]) // 2 + last - first  # a word and what ends it take two bytes or more
    hashes, lengths = np.empty(room, dtype=np.uint64), np.empty(room if measured else 0, dtype=np.int32)
    used = hash_words(data, bounds, first, last, hashes, lengths, counts)
    return hashes[:used], lengths[:used]


def offsets_of(sizes: AnyArray) -> AnyArray:
    """Where each of several runs of these sizes begins when they lie one after the other, and the end (n + 1)."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])


def gram_sets(words: AnyArray, offsets: AnyArray, size: int, whole_if_short: bool = False) -> tuple[AnyArray, AnyArray]:
    """Sorted distinct word n-grams of each text as (flat uint64, offsets), from `word_hashes`.

    A text of fewer than `size` words has none, or with `whole_if_short` the one gram of all its words.
    """
    from dataflywheel.signals.words.gram_kernels import unique_grams

    flat, counts = np.empty(offsets[-1], dtype=np.uint64), np.zeros(len(offsets) - 1, dtype=np.int64)
    used = unique_grams(words, offsets, size, whole_if_short, flat, counts)
    return flat[:used], offsets_of(counts)


def shingle_hashes(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """The set of word 3-grams of each text, as sorted 64-bit hashes: (flat uint64, offsets (n + 1) int64).

    A text of one or two words has one shingle of what is there, a text without a word has none. The Jaccard similarity
    of two of these sets is that of the texts' sets of 3-grams up to collisions (chance about 1e-19 a pair).

    >>> flat, offsets = shingle_hashes(["The cat sat down.", "the cat, sat"])
    >>> offsets.tolist(), bool(flat[2] in flat[:2])
    ([0, 2, 3], True)
    """
    from dataflywheel.signals.words.gram_kernels import SHINGLE_WORDS

    sizes = np.zeros(len(texts), dtype=np.int64)

    def work(first: int, last: int) -> AnyArray:  # piece by piece: no piece's words outlive it
        words, offsets = piece_of(texts, first, last)
        flat, found = gram_sets(words, offsets, SHINGLE_WORDS, whole_if_short=True)
        sizes[first:last] = np.diff(found)
        return flat

    return joined(in_threads(work, characters(texts))), offsets_of(sizes)


def text_keys(texts: Sequence[str]) -> list[str | None]:
    """16 hex digits for the sequence of words of each text, None where there is no word.

    >>> a, b, c = text_keys(["Say hello!", "say  HELLO", "..."])
    >>> a == b, c
    (True, None)
    """
    return keys_of(*word_hashes(texts))


def keys_of(words: AnyArray, offsets: AnyArray) -> list[str | None]:
    """`text_keys` from `word_hashes`."""
    from dataflywheel.signals.words.gram_kernels import hash_rows

    keys = np.zeros(len(offsets) - 1, dtype=np.uint64)
    hash_rows(words, offsets, keys)
    return [f"{key:016x}" if n else None for key, n in zip(keys.tolist(), np.diff(offsets).tolist(), strict=True)]


def signatures(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """MinHash signatures (n, 128) uint32 over the sets of `shingle_hashes`, and the words of each text (n,).

    The share of equal places of two signatures estimates the Jaccard similarity of the two sets, with a standard
    deviation of sqrt(j (1 - j) / 128). A text without a word has the largest value everywhere.
    """
    signature, words, *_ = signed_shingles(texts, kept=False)
    return signature, words


class Sets(NamedTuple):
    """Sorted distinct shingles of all rows in one array (uint64), and where those of each row begin and end in it."""

    flat: AnyArray
    begins: AnyArray
    ends: AnyArray


class Room:
    """One array that pieces take their parts of, in any order; a part that does not fit is an array of its own."""

    def __init__(self, size: int) -> None:
        self.flat = np.empty(size, dtype=np.uint64)
        self.used = 0
        self.late: list[AnyArray] = []
        self.late_used = 0
        self.lock = Lock()

    def part(self, size: int) -> tuple[AnyArray, int]:
        """An array of this size, and where it begins in `whole`."""
        with self.lock:
            if self.used + size <= len(self.flat):
                self.used += size
                return self.flat[self.used - size : self.used], self.used - size
            part = np.empty(size, dtype=np.uint64)
            self.late.append(part)
            self.late_used += size
            return part, len(self.flat) + self.late_used - size

    def whole(self) -> AnyArray:
        return np.concatenate([self.flat, *self.late]) if self.late else self.flat


def signed_shingles(texts: Sequence[str], kept: bool = True) -> tuple[AnyArray, AnyArray, Sets]:
    """`signatures` and, if they are `kept`, the sets of `shingle_hashes`: (signatures, words, sets).

    Texts go through piece by piece, from characters to sets that are written where they stay: memory that is touched
    for the first time costs more here than the work.
    """
    from dataflywheel.signals.words.gram_kernels import sign_rows

    out = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    words_of, begins, sizes = (np.zeros(len(texts), dtype=np.int64) for _ in range(3))
    bounds = characters(texts)
    room = Room(len(texts) + int(bounds[-1]) // CHARACTERS_A_WORD if kept else 0)

    def work(first: int, last: int) -> None:  # one piece is encoded while another is hashed
        words, offsets = piece_of(texts, first, last)
        words_of[first:last] = np.diff(offsets)
        flat, begin = room.part(len(words)) if kept else (np.empty_like(words), 0)
        sign_rows(words, offsets, *permutations(), kept, flat, sizes[first:last], out[first:last])
        begins[first:last] = begin + offsets_of(sizes[first:last])[:-1]

    in_threads(work, bounds)
    return out, words_of, Sets(room.whole(), begins, begins + sizes)


@lru_cache(maxsize=1)
def permutations() -> tuple[AnyArray, AnyArray]:
    """Odd factors and terms (128,) uint32; fixed, since signatures of different runs must agree."""
    rng = np.random.Generator(np.random.PCG64(20_230_517))
    factors = rng.integers(0, 1 << 31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, rng.integers(0, 1 << 32, PERMUTATIONS, dtype=np.uint32)
