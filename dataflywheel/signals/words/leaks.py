"""How much of a target row's wording is found in a text: word n-grams that they share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.shingles import gram_sets

MOST_HOLDERS = 100
TEMPLATE_HOLDERS, TEMPLATE_SHARE = 10, 0.25
"""An n-gram that more target texts hold than the first, or than the second and this share of all prompts and answers,
is the wording of their template, and no trace of any of them."""


class Hits(NamedTuple):
    """The distinct n-grams of the target that texts hold: text and n-gram of each, in order of text."""

    rows: AnyArray
    grams: AnyArray


class Shared(NamedTuple):
    """Pairs of a text and a target text that share n-grams: how many, and how many of those prove something."""

    rows: AnyArray
    targets: AnyArray
    held: AnyArray
    proving: AnyArray

    def without(self, rows: Collection[int]) -> Shared:
        """The pairs of other texts than these."""
        left = ~np.isin(self.rows, np.fromiter(rows, np.int64, len(rows)))
        return Shared(*(values[left] for values in self))


@dataclass(frozen=True)
class GramIndex:
    """The distinct word n-grams of target texts, each with the texts that hold it."""

    size: int
    grams: AnyArray
    """Sorted distinct n-grams (g,), uint64."""
    starts: AnyArray
    """Where each gram's texts begin in `holders` (g + 1,)."""
    holders: AnyArray
    totals: AnyArray
    """Distinct n-grams of each target text."""
    present: AnyArray
    monotonous: AnyArray
    """N-grams (g,) that are mostly one word over and over: they prove nothing."""

    @classmethod
    def of(cls, words: AnyArray, offsets: AnyArray, size: int) -> GramIndex:
        """Of target texts given by their `word_hashes`."""
        from dataflywheel.signals.words.leak_kernels import gram_filter, mark_monotonous

        flat, bounds = gram_sets(words, offsets, size)
        texts = len(offsets) - 1
        holders = np.repeat(np.arange(texts), np.diff(bounds))
        order = np.argsort(flat, kind="stable")
        flat, holders = flat[order], holders[order]
        _, place, often = np.unique(flat, return_inverse=True, return_counts=True)
        most = max(TEMPLATE_HOLDERS, TEMPLATE_SHARE * np.count_nonzero(np.diff(offsets)))
        own = often[place] <= min(MOST_HOLDERS, most)
        flat, holders = flat[own], holders[own]
        grams, first = np.unique(flat, return_index=True)
        monotonous = np.zeros(len(grams), dtype=bool)
        mark_monotonous(words, offsets, size, grams, monotonous)
        totals = np.bincount(holders, minlength=texts)
        return cls(size, grams, np.append(first, len(flat)), holders, totals, gram_filter(grams), monotonous)

    def hits(self, words: AnyArray, offsets: AnyArray) -> Hits:
        """What texts hold that are given by their `word_hashes`."""
        from dataflywheel.signals.words.leak_kernels import find_grams

        rows, grams = np.empty(len(words), dtype=np.int64), np.empty(len(words), dtype=np.int64)
        found = find_grams(words, offsets, self.size, self.grams, self.present, rows, grams)
        pairs = np.unique(rows[:found] * max(len(self.grams), 1) + grams[:found])
        return Hits(pairs // max(len(self.grams), 1), pairs % max(len(self.grams), 1))

    def shared(self, hits: Hits, common: AnyArray | None = None) -> Shared:
        """Target texts that share n-grams with each text; those in the mask `common` (g,) prove nothing."""
        rows, grams = self.of_texts(hits)
        pairs, place = np.unique(rows * max(len(self.totals), 1) + self.holders[grams], return_inverse=True)
        gram = np.repeat(hits.grams, np.diff(self.starts)[hits.grams])
        held = np.bincount(place, minlength=len(pairs))
        proving = np.bincount(place, weights=~self.silent(common)[gram], minlength=len(pairs)).astype(np.int64)
        return Shared(pairs // max(len(self.totals), 1), pairs % max(len(self.totals), 1), held, proving)

    def of_texts(self, hits: Hits) -> tuple[AnyArray, AnyArray]:
        """Row of each hit and target text that holds its n-gram, and the place of that text in `holders`."""
        holding = np.diff(self.starts)[hits.grams]
        before = np.repeat(np.cumsum(holding) - holding, holding)
        return np.repeat(hits.rows, holding), np.arange(holding.sum()) - before + np.repeat(
            self.starts[hits.grams], holding
        )

    def silent(self, common: AnyArray | None) -> AnyArray:
        """N-grams (g,) that prove nothing."""
        return self.monotonous if common is None else self.monotonous | common

    def provable(self, common: AnyArray | None) -> AnyArray:
        """N-grams of each target text that prove something."""
        proving = ~np.repeat(self.silent(common), np.diff(self.starts))
        return np.bincount(self.holders[proving], minlength=len(self.totals))

    def parts(self, hits: Hits) -> Hits:
        """The hits less those of texts that hold all of a target text: copies do not make its wording common."""
        shared = self.shared(hits)
        whole = shared.held == self.totals[shared.targets]
        if not whole.any():
            return hits
        copies = shared.rows[whole] * len(self.totals) + shared.targets[whole]
        rows, place = self.of_texts(hits)
        copied = np.isin(rows * len(self.totals) + self.holders[place], copies)
        holding = np.diff(self.starts)[hits.grams]
        ends = np.cumsum(holding)
        counted = np.concatenate([[0], np.cumsum(copied)])
        kept = counted[ends] - counted[ends - holding] == 0
        return Hits(hits.rows[kept], hits.grams[kept])
