"""Rows by a rating, best first, with a floor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import Rejected, best_first, counts, eligible


class Rated(Selector):
    """Rows by descending score; those under `at_least` are turned away. AlpaGasus keeps the rows from 4.5 on."""

    card: ClassVar[Card] = Card(
        title="AlpaGasus: Training A Better Alpaca with Fewer Data",
        authors="Chen et al.",
        year=2023,
        paper="2307.08701",
        category="selection",
        subcategory="static",
        summary="Keeps the rows that a model rated highest, from a threshold on.",
        needs=("endpoint",),
        cost="$",
        checked="a rater with planted grades: exactly the expected rows are kept",
        pays="Ten thousands of machine-written answers of which many are wrong or empty, and a rater that is better "
        "than their writer.",
        fails="Grades pile up at the top and follow length and the rater's taste: correct them with `ds2`, or compare "
        "rows with `qurating`.",
        evidence="The paper: 9k of 52k Alpaca rows, those from 4.5 on, beat all 52k by GPT-4's verdicts; not measured "
        "here.",
    )

    score: str = "alpagasus.score"
    """Column to rank by, higher is better."""
    at_least: float | None = None
    """The lowest score that is kept."""

    def needs(self) -> tuple[str, ...]:
        return (self.score,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.score)
        notes = counts(columns, rows, self.score)
        value = columns[self.score][rows].astype(np.float64)
        if self.at_least is not None:
            fit = value >= self.at_least
            why = f"{self.score} below {self.at_least:g}"
            low = zip(rows[~fit].tolist(), value[~fit].tolist(), strict=True)
            notes["rejected"] = {row: Rejected(why, score=score) for row, score in low}
            rows, value = rows[fit], value[fit]
        order = best_first(rows, value)
        return Selection(rows[order], value[order], f"by {self.score}", notes=notes)
