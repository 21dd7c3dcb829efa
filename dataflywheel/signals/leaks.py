"""How much of a target row's wording is found in a text: containment of word n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.shingles import gram_sets, word_hashes


@dataclass(frozen=True)
class Leak:
    """The strongest match of one text: which target text, and the share of its n-grams that the text holds."""

    target: int
    share: float


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

    @classmethod
    def of(cls, targets: Sequence[str], size: int) -> GramIndex:
        from dataflywheel.signals.leak_kernels import gram_filter

        flat, offsets = gram_sets(*word_hashes(targets), size)
        totals = np.diff(offsets)
        order = np.argsort(flat, kind="stable")
        grams, first = np.unique(flat[order], return_index=True)
        holders = np.repeat(np.arange(len(totals)), totals)[order]
        return cls(size, grams, np.append(first, len(flat)), holders, totals, gram_filter(grams))

    def strongest(self, words: AnyArray, offsets: AnyArray, least: float) -> dict[int, Leak]:
        """For texts given by their `word_hashes`: text -> its best match, where the share is `least` or more.

        Of target texts that are held to an equal share the one with more n-grams counts, then the first.
        """
        from dataflywheel.signals.leak_kernels import find_grams

        rows, hits = np.empty(len(words), dtype=np.int64), np.empty(len(words), dtype=np.int64)
        found = find_grams(words, offsets, self.size, self.grams, self.present, rows, hits)
        if not found:
            return {}
        pairs = np.unique(rows[:found] * len(self.grams) + hits[:found])
        rows, hits = pairs // len(self.grams), pairs % len(self.grams)
        holding = self.starts[hits + 1] - self.starts[hits]
        before = np.repeat(np.cumsum(holding) - holding, holding)
        target = self.holders[np.arange(holding.sum()) - before + np.repeat(self.starts[hits], holding)]
        matched, counts = np.unique(np.repeat(rows, holding) * len(self.totals) + target, return_counts=True)
        rows, target = matched // len(self.totals), matched % len(self.totals)
        share = counts / self.totals[target]
        order = np.lexsort((target, -self.totals[target], -share, rows))
        order = order[share[order] >= least]
        best, first = np.unique(rows[order], return_index=True)
        return {row: Leak(int(target[k]), float(share[k])) for row, k in zip(best.tolist(), order[first], strict=True)}
