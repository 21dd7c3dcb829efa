"""Words of texts as counts, and what each of them is worth to a query by BM25."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.shingles import word_hashes

K1, B = 1.5, 0.75
"""How much a repeated word counts, and how much a text's length is held against it, where nothing else is said."""


@dataclass(frozen=True)
class Words:
    """The words of n texts, one text after the other, as 64-bit hashes."""

    words: AnyArray
    number: AnyArray
    """Of words in each text (n,)."""

    @classmethod
    def of(cls, texts: Sequence[str] | AnyArray) -> Words:
        words, offsets = word_hashes(list(texts))
        return cls(words, np.diff(offsets))

    def spoken(self) -> Words:
        """Without the texts that have no word."""
        return Words(self.words, self.number[self.number > 0])

    def counted(self, vocabulary: AnyArray) -> Any:
        """How often each text has each word of a sorted vocabulary, a sparse (n, words) matrix of float32."""
        from scipy.sparse import csr_matrix

        at = np.searchsorted(vocabulary, self.words)
        known = vocabulary[np.minimum(at, len(vocabulary) - 1)] == self.words
        owner = np.repeat(np.arange(len(self.number)), self.number)[known]
        ends = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(self.number)))])
        held = np.ones(len(owner), dtype=np.float32), at[known], ends
        counted = csr_matrix(held, shape=(len(self.number), len(vocabulary)))
        counted.sum_duplicates()
        return counted

    def shares(self, vocabulary: AnyArray) -> Any:
        """Each word's share of all words of its text, (n, words)."""
        counted = self.counted(vocabulary)
        counted.data /= np.repeat(np.maximum(self.number, 1), np.diff(counted.indptr))
        return counted


def weighted(counted: Any, length: AnyArray, k1: float, b: float) -> Any:
    """What each word of each row adds to the score of a query that has it once, in the place of the counts.

    `length` (n,) are the words of each row, those that no query has included.
    """
    n, having = counted.shape[0], np.bincount(counted.indices, minlength=counted.shape[1])
    rarity = np.log1p((n - having + 0.5) / (having + 0.5))
    burden = np.repeat(
        k1 * (1 - b + b * length / max(float(length.mean()), 1.0)) if n else length, np.diff(counted.indptr)
    )
    found = counted.copy()
    found.data = (rarity[counted.indices] * counted.data * (k1 + 1) / (counted.data + burden)).astype(np.float32)
    return found
