"""Random rows with the answer lengths of a given selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, Selection, Selector, UsageError
from dataflywheel.selection.order import counts, eligible, shuffled


class LengthMatchedRandom(Selector):
    """Random rows whose lengths follow `lengths`: the control that separates a selector's gain from mere length.

    Each wanted length takes a random unused row of that length, or of the nearest length that has rows left. The
    result is in random order, so that every prefix has roughly the same lengths.
    """

    card: ClassVar[Card] = Card(
        title="Long Is More for Alignment: A Simple but Tough-to-Beat Baseline for Instruction Fine-Tuning",
        authors="Zhao et al.",
        year=2024,
        paper="2402.04833",
        category="selection",
        subcategory="static",
        summary="Draws random rows with the length histogram of another selection.",
        checked="Kolmogorov-Smirnov test against the selection that is matched; exact lengths where the pool has them",
        pays="Beside `longest`, `ifd` or ratings, whose answers are longer than the pool's: what does not beat it was "
        "mere length.",
        fails="Where the selection holds most of the long rows, few others of their length are left and shorter ones "
        "take their place: keep a smaller share.",
    )
    version: ClassVar[int] = 2
    deterministic: ClassVar[bool] = False

    length: Literal["tokens", "chars"] = "tokens"
    """Unit in which the answer is measured."""
    lengths: tuple[int, ...] | None = None
    """Answer lengths of the selection to match; see `matched_to`."""

    def needs(self) -> tuple[str, ...]:
        return (f"text.{self.length}_answer",)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        """Raises UsageError without `lengths`: there is nothing to match."""
        if not self.lengths:
            raise UsageError("length_matched_random: lengths: give the answer lengths of the selection to match")
        rows = shuffled(columns, eligible(columns, *self.needs()), rng)
        size = columns[self.needs()[0]][rows].astype(np.int64)
        by_length = np.argsort(size, kind="stable")
        wanted = resampled(self.lengths, min(budget, len(rows)))
        picks = by_length[nearest_unused(size[by_length], rng.permutation(wanted))]
        return Selection(
            rows[picks],
            size[picks].astype(np.float64),
            f"drawn at random with the given answer lengths in {self.length}",
            nested=False,
            notes=counts(columns, rows, *self.needs()),
        )


def matched_to(columns: Columns, order: AnyArray, length: Literal["tokens", "chars"] = "tokens") -> LengthMatchedRandom:
    """The selector that draws random rows with the answer lengths of the rows at positions `order`."""
    values = columns[f"text.{length}_answer"][order]
    return LengthMatchedRandom(length=length, lengths=tuple(int(v) for v in values))


def resampled(lengths: Sequence[int], size: int) -> AnyArray:
    """`size` lengths with the distribution of `lengths`: its evenly spaced quantiles, so itself where the sizes
    agree."""
    values = np.sort(np.asarray(lengths, dtype=np.int64))
    return values[((np.arange(size) + 0.5) * len(values) / max(size, 1)).astype(np.int64)]


def nearest_unused(values: AnyArray, wanted: AnyArray) -> AnyArray:
    """For each wanted number in turn the index of the nearest unused value of the sorted `values` (m,).

    Exact matches are served before any neighbour is taken, so no row is borrowed that another length needs.
    """
    left = np.arange(len(values) + 1)  # left[i]: an unused index below i lies at left[i] - 1 or further down
    right = np.arange(len(values) + 1)  # right[i]: an unused index from i on lies at right[i] or further up
    picks = np.full(len(wanted), -1, dtype=np.int64)

    def follow(links: AnyArray, i: int) -> int:
        while links[i] != i:
            links[i] = links[links[i]]
            i = int(links[i])
        return i

    for exact in (True, False):
        start = np.searchsorted(values, wanted)
        for k in np.flatnonzero(picks < 0):
            up, down = follow(right, int(start[k])), follow(left, int(start[k])) - 1
            above = values[up] - wanted[k] if up < len(values) else np.inf
            below = wanted[k] - values[down] if down >= 0 else np.inf
            if exact and min(above, below) > 0:
                continue
            pick = up if above <= below else down
            picks[k], right[pick], left[pick + 1] = pick, pick + 1, pick
    return picks
