"""Random choice with equal rows from every source."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import counts, eligible, shuffled, turns


class SourceBalancedRandom(Selector):
    """Sources take turns, each giving a random row of its own; one that is empty leaves its turns to the others.

    Every prefix is balanced: two sources that still have rows differ by one row at most.
    """

    card: ClassVar[Card] = Card(
        title="Large-Scale Data Selection for Instruction Tuning",
        authors="Ivison et al.",
        year=2025,
        paper="2503.01807",
        category="selection",
        subcategory="static",
        summary="Draws equally many random rows from every source; small sources give their rest to the others.",
        checked="counts against integer max-min allocation by brute force, for every prefix",
        pays="Pools of several sources of which one is far larger, none known to be better: the control of every "
        "choice from such a pool.",
        fails="A small bad source gets as much as a large good one: leave it out, or give shares by `raked`.",
        evidence="2503.01807: on pools of up to 5.8 M rows many selectors are worse than random or balanced random "
        "choice; not measured here.",
    )
    version: ClassVar[int] = 2
    deterministic: ClassVar[bool] = False

    def needs(self) -> tuple[str, ...]:
        return ("row.source",)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = shuffled(columns, eligible(columns), rng)
        names, source = np.unique(columns["row.source"][rows].astype(str), return_inverse=True)
        sizes = np.bincount(source, minlength=len(names))
        order = np.lexsort((rng.permutation(len(names))[source], turns(source, len(names))))
        notes = counts(columns, rows) | {"sources": dict(zip(names.tolist(), sizes.tolist(), strict=True))}
        return Selection(rows[order], np.full(len(rows), np.nan), "drawn at random, sources in turn", notes=notes)
