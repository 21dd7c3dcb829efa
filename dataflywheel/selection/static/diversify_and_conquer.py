"""Diversify and Conquer: clusters share the budget, and each gives rows drawn by quality."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SCORE, best_first, counts, eligible, turns
from dataflywheel.selection.quota import share_out
from dataflywheel.selection.static.gumbel_top_k import drawn
from dataflywheel.selection.vectors import VectorColumn, vectors_of
from dataflywheel.signals.model.cells import directions, nearest_cells, spherical_kmeans


class DiversifyAndConquer(Selector):
    """k-means splits the rows; every cluster gets an equal share of the budget, and within it rows are drawn without
    replacement with probability proportional to exp(quality), quality in standard deviations over all rows.

    What a cluster smaller than its share cannot use goes to the others, evenly. With `gap` shares are proportional to
    exp of the mean gap of each cluster's rows: more for what the model cannot yet do. The paper's iterative refinement
    is a recipe with `rounds: 3` and `gap: learner_gap.gap`, which every round measures with the model of the one
    before.
    """

    card: ClassVar[Card] = Card(
        title="Diversify and Conquer: Diversity-Centric Data Selection with Iterative Refinement",
        authors="Yu et al.",
        year=2024,
        paper="2409.11378",
        category="selection",
        subcategory="static",
        summary="Clusters share the budget equally, or by where the model lags; rows are drawn by quality within.",
        needs=("embedder",),
        checked="shares against hand-out one by one; more clusters covered than by the best of all rows",
        pays="Pools of many kinds of requests with a rough score, of which every kind shall have its part in a few "
        "thousand rows.",
        fails="Each cluster counts the same, also small ones of junk, and large kinds lose rows: filter first, or ask "
        "for fewer `clusters`.",
    )
    deterministic: ClassVar[bool] = False

    vector: VectorColumn = "embedding.vector"
    """Column with the vectors that are split, of which the directions count."""
    score: str = SCORE
    """Column of the quality, higher is better; by default the rank of the step's `by`."""
    clusters: int = Field(default=512, ge=1)
    """How many, at most: there is one for every four rows or more."""
    temperature: float = Field(default=1.0, ge=0)
    """Of the draw within a cluster: 0 takes the best rows."""
    gap: str | None = None
    """Column with what the model lacks on a row: `learner_gap.gap`, or another, such as the reward of its reference
    answer less that of the model's own."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector, self.score, *([self.gap] if self.gap else []))

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, *self.needs())
        unit, usable = directions(vectors_of(columns, rows, self.vector))
        rows = rows[usable]
        if not len(rows):
            return Selection(rows, np.zeros(0), "", notes=counts(columns, rows, *self.needs()))
        cells = min(self.clusters, -(-len(rows) // 4))
        seed = int(rng.integers(2**63))
        names, cluster = np.unique(
            nearest_cells(unit, spherical_kmeans(unit, cells, seed), count=1)[:, 0], return_inverse=True
        )
        value = columns[self.score][rows].astype(np.float64)
        gap = np.zeros(len(rows)) if self.gap is None else columns[self.gap][rows]
        weight = cluster_weights(gap, cluster, len(names))
        best = best_first(rows, drawn(value, self.temperature, rng))
        turn = np.empty(len(rows), dtype=np.int64)
        turn[best] = turns(cluster[best], len(names))
        share = np.asarray(share_out(budget, np.bincount(cluster).tolist(), weight.tolist()))
        chosen = np.flatnonzero(turn < share[cluster])
        # Clusters take turns, one of twice the weight twice as often: every prefix divides itself as the whole does.
        place = (turn[chosen] + 0.5) / np.maximum(weight[cluster[chosen]], np.finfo(np.float64).tiny)
        order = chosen[np.lexsort((cluster[chosen], place))]
        notes = counts(columns, rows, *self.needs()) | {"clusters": len(names)}
        reason = f"drawn by {self.score} from one of {len(names)} clusters"
        return Selection(rows[order], value[order], reason, nested=self.gap is None, notes=notes)


def cluster_weights(gap: AnyArray, cluster: AnyArray, clusters: int) -> FloatArray:
    """exp of the mean gap of each cluster's rows (clusters,), up to a factor: the greatest is 1. None is empty.

    >>> cluster_weights(np.array([1.0, 3.0, 0.0]), np.array([0, 0, 1]), 2).round(3).tolist()
    [1.0, 0.135]
    """
    mean = np.bincount(cluster, gap, minlength=clusters) / np.bincount(cluster, minlength=clusters)
    weight: FloatArray = np.exp(mean - mean.max())
    return weight
