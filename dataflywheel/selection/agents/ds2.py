"""DS2: ratings corrected for the rater's own errors, then rare rows first."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.agents.rater_errors import NEIGHBOURS, nearest, posterior, rater_errors
from dataflywheel.selection.order import counts, eligible


class DS2(Selector):
    """Rows by corrected score, and among equals by rarity: how far a row lies from its neighbours.

    Scores are rounded and brought into `low` to `high`. The rater's error matrix is estimated from the agreement of
    neighbours (see `rater_errors`); the corrected score is the likeliest true one given the row's own score and those
    of its neighbours where its probability reaches `confidence`, else the score as it was. Where vectors are not
    clustered by score it refuses. The paper corrects by ranks over 51 rounds instead; both take the matrix from there.
    """

    card: ClassVar[Card] = Card(
        title="Improving Data Efficiency via Curating LLM-Driven Rating Systems",
        authors="Pang et al.",
        year=2024,
        paper="2410.10877",
        category="selection",
        subcategory="agents",
        summary="Corrects ratings by the rater's estimated error matrix, then prefers rare rows.",
        needs=("endpoint", "embedder"),
        cost="$",
        checked="a rater with a known matrix on clustered vectors; corrected scores against the true ones; refusal",
        pays="Pools of ten thousand rows or more that a cheap model has rated, where embeddings of like rows have like "
        "scores.",
        fails="Where neighbours do not share their score the rater's errors cannot be found, and it refuses: take "
        "`rated`, or another rater.",
        evidence="The paper: 10k of 300k rows (3.3 %) beat all 300k, and raters of 7 to 8 B will do; not measured "
        "here.",
    )
    name: ClassVar[str] = "ds2"

    score: str = "ds2_rating.overall"
    """Column with the scores."""
    vectors: str = "embedding.vector"
    """Column with the vectors whose neighbours are compared."""
    low: int = 4
    """Scores under it count as it."""
    high: int = 9
    """Scores above it count as it."""
    confidence: float = Field(default=0.5, ge=0, le=1)
    """Probability from which a corrected score replaces the given one."""

    @model_validator(mode="after")
    def _range(self) -> DS2:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self

    def needs(self) -> tuple[str, ...]:
        return (self.score, self.vectors)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        """Raises UsageError where the rater's errors cannot be told."""
        rows = eligible(columns, *self.needs())
        notes = counts(columns, rows, *self.needs())
        if not len(rows):
            return Selection(rows, np.zeros(0), "corrected score", notes=notes)
        given = np.clip(np.round(columns[self.score][rows].astype(np.float64)), self.low, self.high)
        near, cosines = nearest(columns[self.vectors][rows], NEIGHBOURS)
        errors = rater_errors(given, near)
        belief = posterior(errors, given, near)
        score = np.where(belief.max(axis=1) >= self.confidence, errors.levels[belief.argmax(axis=1)], given)
        rare = rarity(cosines)
        order = np.lexsort((-rare, -score))
        notes |= {
            "rater_accuracy": errors.accuracy,
            "neighbour_agreement": errors.agreement,
            "rater_matrix": errors.matrix.round(4).tolist(),
            "levels": errors.levels.tolist(),
            "corrected": int((score != given).sum()),
        }
        reasons = [_reason(*row) for row in zip(given[order], score[order], rare[order], strict=True)]
        return Selection(rows[order], score[order], reasons, notes=notes)


def _reason(given: float, score: float, rare: float) -> str:
    corrected = f"score {given:g} corrected to {score:g}" if given != score else f"score {score:g}"
    return f"{corrected}, rarity {rare:.2f}"


def rarity(cosines: AnyArray) -> FloatArray:
    """2 / (1 + exp(-mean distance)) - 1 over the distances 1 - cosine to the neighbours (n, k): from 0, (n,)."""
    return np.asarray(2 / (1 + np.exp(-(1 - cosines).mean(axis=1))) - 1)
