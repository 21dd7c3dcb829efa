"""Texts that are near to another one by ROUGE-L, found without comparing all with all and without missing any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from dataflywheel.contracts import AnyArray

TINY = 1e-9
"""Guards the comparison of shares against rounding: 0.7 * 10 must be 7."""
LONGEST = 8192
"""Words at the beginning of a text that are compared: with all of them, time would grow with the square of a text."""


def rouge_l(common: int, a: int, b: int) -> float:
    """F-measure of ROUGE-L: twice the longest common subsequence over the words of both texts; 0 without words.

    >>> rouge_l(3, 4, 6)
    0.6
    """
    return 2 * common / (a + b) if a + b else 0.0


class Words(NamedTuple):
    """A word sequence as hashes (uint64), and its prefix: words, with their occurrence, that mark what may be near."""

    hashes: AnyArray
    prefix: list[tuple[int, int]]


class RougeIndex:
    """Word sequences, to be asked which of them have a ROUGE-L above a threshold with a new one.

    Two sequences of m and n words with F > t have more than t (m + n) / 2 words in common. Put in one order, rarest
    first, the words of each up to the last that may be missing (its prefix) then have one in common: only sequences
    that share a word of the prefix, and are not too long or short for it, are compared in full. Repeated words count as
    different ones: first, second and third occurrence.
    """

    def __init__(self, threshold: float, rank: Mapping[int, int] | None = None) -> None:
        """`rank`: how often words occur in some large set; the rarer come first. It must not change afterwards."""
        self.threshold = threshold
        self.rank = rank if rank is not None else {}
        self.ids: list[str] = []
        self.holders: dict[tuple[int, int], list[int]] = {}
        self.flat: AnyArray = np.zeros(1024, dtype=np.uint64)
        self.ends: AnyArray = np.zeros(256, dtype=np.int64)
        self.compared = 0
        """Sequences that were compared in full so far."""

    def add(self, id: str, words: Words) -> None:
        """Enter one sequence."""
        start = int(self.ends[len(self.ids)])
        end = start + len(words.hashes)
        self.flat, self.ends = with_room(self.flat, end), with_room(self.ends, len(self.ids) + 2)
        self.flat[start:end] = words.hashes
        self.ends[len(self.ids) + 1] = end
        for key in words.prefix:
            self.holders.setdefault(key, []).append(len(self.ids))
        self.ids.append(id)

    def words(self, hashes: AnyArray) -> Words:
        """A sequence as this index, and any other with the same threshold and rank, takes it: its first 8,192 words."""
        hashes = hashes[:LONGEST]
        seen: dict[int, int] = {}
        keys = []
        for word in hashes.tolist():
            seen[word] = occurrence = seen.get(word, 0) + 1
            keys.append((self.rank.get(word, 0), word, occurrence))
        keys.sort()
        return Words(hashes, [key[1:] for key in keys[: len(keys) - self.fewest(len(keys)) + 1]])

    def fewest(self, size: int) -> int:
        """Common words that a sequence of `size` words needs at least with one of any length to be above.

        The other has as many words as are common or more: 2 c > t (size + c).
        """
        return max(1, math.floor(self.threshold * size / (2 - self.threshold) - TINY) + 1)

    def above(self, words: Words, skip: Iterable[str] = ()) -> tuple[str, float] | None:
        """The nearest sequence with F above the threshold, and F; None where there is none. Ties go to the first.

        Sequences whose id is in `skip` do not count.
        """
        from dataflywheel.signals.words.rouge_kernels import common_subsequences

        near = [held for key in words.prefix if (held := self.holders.get(key))]
        if not near:
            return None
        rows: AnyArray = np.unique(np.fromiter(chain.from_iterable(near), np.int64))
        size = len(words.hashes)
        starts, ends = self.ends[rows], self.ends[rows + 1]
        sizes = ends - starts
        fits = np.minimum(sizes, size) > self.threshold * (sizes + size) / 2 - TINY
        passed = set(skip)
        if passed:
            fits &= [self.ids[row] not in passed for row in rows.tolist()]
        rows, starts, ends, sizes = rows[fits], starts[fits], ends[fits], sizes[fits]
        common = np.zeros(len(rows), dtype=np.int64)
        common_subsequences(words.hashes, self.flat, starts, ends, common)
        self.compared += len(rows)
        scores = 2 * common / (sizes + size)
        if not len(rows) or scores.max() <= self.threshold + TINY:
            return None
        best = int(scores.argmax())
        return self.ids[rows[best]], float(scores[best])


def with_room(block: AnyArray, size: int) -> AnyArray:
    """The block, or a longer one with its values, doubled as often as it takes."""
    if size <= len(block):
        return block
    return np.concatenate([block, np.zeros(max(size, 2 * len(block)) - len(block), dtype=block.dtype)])


def frequencies(words: AnyArray) -> dict[int, int]:
    """How often each word occurs: the order in which an index takes words."""
    found, counts = np.unique(words, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def indexed(ids: Sequence[str], words: AnyArray, offsets: AnyArray, threshold: float) -> RougeIndex:
    """An index of texts given by their `word_hashes`."""
    index = RougeIndex(threshold, frequencies(words))
    for k, id in enumerate(ids):
        index.add(id, index.words(words[offsets[k] : offsets[k + 1]]))
    return index
