"""Sampling by score: a temperature between the best rows and random ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SCORE, best_first, counts, eligible


class GumbelTopK(Selector):
    """Draws rows without replacement with probability proportional to exp(score / temperature).

    Scores are brought to mean 0 and deviation 1 first. Gumbel noise added to the logits makes their descending order
    such a draw, so every prefix is the draw of its size. Temperature 0 is the plain order by score.
    """

    card: ClassVar[Card] = Card(
        title="QuRating: Selecting High-Quality Data for Training Language Models",
        authors="Wettig et al.",
        year=2024,
        paper="2402.09739",
        category="selection",
        subcategory="static",
        summary="Samples rows by score with a temperature, so that high scores are frequent and the rest is not lost.",
        checked="temperature 0 equals the order by score; a high one is uniform; shares follow the softmax",
        pays="A score that one trusts over the pool and not at its top, where the best rows are all of one kind.",
        fails="Bad rows stay in the draw, however seldom: where a low score means a broken row, bound it in `filter` "
        "first.",
    )
    deterministic: ClassVar[bool] = False

    score: str = SCORE
    """Column to draw by, higher is better; by default the rank of the step's `by`."""
    temperature: float = Field(default=2.0, ge=0)
    """0 takes the best, a high one draws evenly; in standard deviations of the score."""

    def needs(self) -> tuple[str, ...]:
        return (self.score,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.score)
        value = columns[self.score][rows].astype(np.float64)
        order = best_first(rows, drawn(value, self.temperature, rng))
        reason = f"drawn by {self.score} at temperature {self.temperature:g}"
        return Selection(rows[order], value[order], reason, notes=counts(columns, rows, self.score))


def drawn(score: AnyArray, temperature: float, rng: np.random.Generator) -> FloatArray:
    """Keys (n,) whose descending order is the draw: standardised scores over the temperature, plus Gumbel noise."""
    noise = rng.gumbel(size=len(score))
    if temperature == 0:
        return np.asarray(score, dtype=np.float64)
    deviation = score.std() if len(score) else 0.0
    standard = (score - score.mean()) / deviation if deviation > 0 else np.zeros(len(score))
    return standard / temperature + noise
