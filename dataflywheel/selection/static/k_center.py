"""k-center: no row is far from the chosen ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import counts, eligible
from dataflywheel.selection.vectors import VectorColumn, vectors_of

AHEAD = 16  # far rows whose distances are computed in one product; most of them are picked soon


class KCenter(Selector):
    """Again and again the row that is farthest from the chosen ones; its greatest distance is at most twice the
    optimum.

    The first pick is the row nearest to the mean of all rows, unless rows were chosen before (`greedy_k_center`).
    """

    card: ClassVar[Card] = Card(
        title="Active Learning for Convolutional Neural Networks: A Core-Set Approach",
        authors="Sener and Savarese",
        year=2018,
        paper="1708.00489",
        category="selection",
        subcategory="static",
        summary="Greedy k-center over embeddings: covers outlying regions, whatever their density.",
        needs=("embedder",),
        checked="radius at most twice the brute-force optimum; one distance at a time in float64",
        pays="Clean pools without a target in which rare kinds of rows must not be missed, at a small budget.",
        fails="Farthest from all others are broken texts and other languages, which come first: filter and deduplicate "
        "before, or take `facility_location`.",
        evidence="Its cost here (`benchmarks/scale.md`): 171 processor seconds and 2,765 MB for a million rows; what a "
        "student gains was not measured.",
    )

    vector: VectorColumn = "embedding.vector"
    """Column with the vectors: `gradient_projection.vector` covers what rows teach, in place of what they say."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.vector)
        order, distance = greedy_k_center(vectors_of(columns, rows, self.vector), budget)
        return Selection(
            rows[order], distance, "farthest from the rows chosen before", notes=counts(columns, rows, self.vector)
        )


def greedy_k_center(vectors: AnyArray, budget: int, chosen: AnyArray | None = None) -> tuple[AnyArray, FloatArray]:
    """Farthest-first traversal (Gonzalez, 1985).

    Args:
        vectors: (n, d), any norm; in the order in which ties are to be broken.
        budget: how many to pick; at most n.
        chosen: (c, d) centres that exist already, such as labelled rows.

    Returns:
        Picks (k,) and the Euclidean distance of each to the nearest centre before it, shape (k,); NaN for a first pick
        that had no centre before it.
    """
    vectors = vectors.astype(np.float32, copy=False)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    order = np.arange(min(budget, len(vectors)))
    gap = np.zeros(len(order))
    near = np.full(len(vectors), np.inf, dtype=np.float32)
    for centre in [] if chosen is None else chosen.astype(np.float32):
        np.minimum(near, _squared(squares, vectors @ centre, float(centre @ centre)), out=near)
    slots: dict[int, int] = {}
    for step in range(len(order)):
        first = not np.isfinite(near[0])
        pick = int(np.argmin(squares - 2 * (vectors @ vectors.mean(axis=0))) if first else np.argmax(near))
        if near[pick] <= 0:  # only copies of chosen rows are left
            order[step:] = np.flatnonzero(near == 0)[: len(order) - step]
            break
        order[step], gap[step] = pick, np.nan if first else np.sqrt(near[pick])
        if pick not in slots:
            ahead = np.unique(np.append(np.argpartition(-near, min(AHEAD, len(near) - 1))[:AHEAD], pick))
            slots = {int(row): i for i, row in enumerate(ahead)}
            products = vectors[ahead] @ vectors.T
        np.minimum(near, _squared(squares, products[slots[pick]], squares[pick]), out=near)
        near[pick] = -1
    return order, gap


def _squared(squares: AnyArray, products: AnyArray, square: float) -> AnyArray:
    """Squared distances (n,) from inner products; rounding noise of equal vectors counts as no distance."""
    distance = squares - 2 * products + np.float32(square)
    return np.where(distance <= 4e-6 * np.maximum(squares, 1), np.float32(0), distance)
