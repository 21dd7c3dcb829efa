"""TSDS: probabilities that transport the target's distribution onto the pool, spread out and blind to near-copies."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import Rejected, counts, eligible, target_rows
from dataflywheel.selection.vectors import VectorColumn, directions_of, target_gradients

CELLS = 1 << 25
"""Products held at once: 128 megabytes of float32."""
FIRST = 64
"""Neighbours of a target row that are looked at first; twice as many as long as they do not suffice."""
AIMS, SAMPLE = 256, 4096
"""Target rows and rows of the pool that tell how far they are apart."""
NOISE = 4e-6
"""Squared distances of unit vectors under it are rounding noise of equal ones."""


class TSDS(Selector):
    """Rows drawn by their probability, each with the weight that keeps the whole at these probabilities.

    Every target row spreads an equal mass over the pool's rows near it. The transport minimises `alpha / C x sum of
    mass x distance + (1 - alpha) x M x max(mass x density)` over M target rows: the nearer the better, but no row may
    have much, and a row of which there are `density` near-copies a share of what one of them would have. So each
    target row fills its neighbours one after the other up to a common level, which is found by a sweep. Distances are
    those of directions, in the unit that puts a target row and a row of the pool at sqrt(2) in the median, as unrelated
    directions are: so `C` and `sigma` mean the same for every column of vectors.

    The paper draws with replacement. Here a budget is of distinct rows: they come in the order in which such draws
    would first meet them, and a row weighs as many draws as are expected of it once it is met. Weighted, the
    rows stand for the probabilities without bias; where the budget holds all rows that have one, the weights are these.
    A row in no neighbourhood is not eligible, so that fewer rows than the budget may come of it.
    """

    card: ClassVar[Card] = Card(
        title="TSDS: Data Selection for Task-Specific Model Finetuning",
        authors="Liu et al.",
        year=2024,
        paper="2410.11303",
        category="selection",
        subcategory="static",
        summary="Draws and weighs rows by optimal transport of the target's distribution, with near-copies as one.",
        needs=("embedder", "target"),
        checked="linear programmes on small inputs; a cluster copied 50-fold; nearest neighbours and widest "
        "neighbourhoods at the ends of alpha; the weighted mean over draws",
        pays="A target of tens of rows and a pool with many near-copies, where the target's whole spread is wanted and "
        "not its nearest rows alone.",
        fails="Few rows may carry most of the weight, and fewer than the budget may come: raise `C` or lower `alpha`, "
        "or take `rds_plus`, which weighs none.",
    )
    deterministic: ClassVar[bool] = False
    targeted: ClassVar[bool] = True
    weighs: ClassVar[bool] = True

    vector: VectorColumn = "embedding.vector"
    """Column with the vectors, of which the directions count; `gradient_projection.vector` compares what rows teach."""
    alpha: float = Field(default=0.5, ge=0, le=1)
    """Nearness against spread: 1 gives each target row its nearest row, 0 all its `neighbours`."""
    C: float = Field(default=5.0, gt=0)
    """What a distance is divided by: the larger, the wider the neighbourhoods."""
    sigma: float = Field(default=0.75, ge=0)
    """Distance from which a row is no near-copy of another; 0 looks for none."""
    neighbours: int = Field(default=5000, ge=1)
    """Rows that a target row may spread its mass over, at most."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        return target_gradients()

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, self.vector)
        rows = eligible(columns, self.vector)
        pool, aims = directions_of(columns, rows, self.vector), directions_of(target, queries, self.vector)
        usable, pointing = (pool != 0).any(axis=1), (aims != 0).any(axis=1)
        pool, aims = pool[usable], aims[pointing]
        found = transport(pool, aims, self, unit_of(pool, aims))
        probability = np.zeros(len(rows))
        probability[usable] = found.probability
        near = np.flatnonzero(probability > 0)
        order, weight = drawn(probability[near], budget, rng)
        rejected = {
            int(rows[i]): Rejected(
                "in no neighbourhood of a target row" if usable[i] else "its vector has no direction"
            )
            for i in np.flatnonzero(probability == 0)
        }
        notes = counts(columns, rows, self.vector) | {"queries": len(aims), "near": len(near)}
        notes |= {"neighbourhood": found.neighbourhood, "copies": found.copies, "distance": found.distance}
        chosen = near[order]
        return Selection(
            rows[chosen],
            probability[chosen],
            "drawn by its share of the target's mass",
            notes=notes | {"rejected": rejected},
            weight=weight,
        )


class Transport(NamedTuple):
    """Where the target's mass goes: to each row of the pool (n,), and on the average of target rows."""

    probability: FloatArray
    neighbourhood: float
    """Rows over which a target row spreads."""
    copies: float
    """Near-copies of a row there, itself counted."""
    distance: float
    """How far its mass goes."""


def unit_of(pool: FloatArray, aims: FloatArray) -> float:
    """What a distance is divided by, so that the median between aims and pool is sqrt(2): of evenly spread samples."""
    if not len(pool) or not len(aims):
        return 1.0
    few, many = (rows[:: -(-len(rows) // most)] for rows, most in ((aims, AIMS), (pool, SAMPLE)))
    return float(np.sqrt(np.median(squared(few @ many.T)) / 2)) or 1.0


def transport(pool: FloatArray, aims: FloatArray, settings: TSDS, unit: float = 1.0) -> Transport:
    """The optimal transport from unit vectors `aims` (m, d) to unit vectors `pool` (n, d), with distances over `unit`;
    ties go to earlier rows."""
    n, m = len(pool), len(aims)
    most = min(settings.neighbours, n)
    if not most or not m:
        return Transport(np.zeros(n), 0.0, 0.0, 0.0)
    density = np.full(n, np.nan)
    width = min(FIRST, most)
    while True:
        near, distance = nearest(pool, aims, width)
        new = np.unique(near[np.isnan(density[near])])
        density[new] = crowding(pool, new, settings.sigma * unit)
        room = np.cumsum(1 / density[near], axis=1)
        level = filled_to(room, distance, settings.alpha, settings.C * unit)
        if width == most or (room[:, -1] >= level).all():
            break
        width = min(2 * width, most)
    top = np.minimum(room[:, -1:], level)
    mass = np.diff(np.minimum(room, top), axis=1, prepend=0) / top / m
    used = mass > 0
    probability = np.bincount(near.ravel(), mass.ravel(), minlength=n).astype(np.float64)
    copies = float(density[near][used].mean())
    told = used.sum(axis=1).mean(), copies, (mass * distance).sum() / unit
    return Transport(probability, *(round(float(value), 3) for value in told))


def nearest(pool: FloatArray, aims: FloatArray, k: int) -> tuple[AnyArray, FloatArray]:
    """The k nearest rows of each aim (m, k), the nearest first, and their Euclidean distances, in bounded blocks."""
    near = np.empty((len(aims), k), dtype=np.int64)
    distance = np.empty((len(aims), k))
    step = max(1, CELLS // len(pool))
    for start in range(0, len(aims), step):
        for at, cosine in enumerate(aims[start : start + step] @ pool.T, start):
            least = np.partition(cosine, len(cosine) - k)[len(cosine) - k]
            within = np.flatnonzero(cosine >= least)
            near[at] = within[np.argsort(-cosine[within], kind="stable")][:k]
            distance[at] = np.sqrt(squared(cosine[near[at]]))
    return near, distance


def squared(cosine: AnyArray) -> FloatArray:
    """Squared distance of unit vectors by their cosine, without the rounding noise of equal ones."""
    found = 2 - 2 * cosine.astype(np.float64)
    return np.where(found < NOISE, 0.0, found)


def crowding(pool: FloatArray, rows: AnyArray, sigma: float) -> FloatArray:
    """Kernel density of some rows of the pool (m,), the sum of max(0, 1 - d^2 / sigma^2) over all: 1 for a row that is
    alone."""
    total = np.ones(len(rows))
    if not sigma:
        return total
    step = max(1, CELLS // len(pool))
    scale, shift = np.float32(2 / sigma**2), np.float32(1 - 2 / sigma**2)
    for start in range(0, len(rows), step):
        kernel = pool[rows[start : start + step]] @ pool.T
        kernel *= scale
        kernel += shift
        np.maximum(kernel, 0, out=kernel)
        total[start : start + step] = np.maximum(kernel.sum(axis=1, dtype=np.float64), 1)
    return total


def filled_to(room: FloatArray, distance: FloatArray, alpha: float, scale: float) -> float:
    """The level up to which every target row fills its neighbours; infinite where none of those given stops it.

    Args:
        room: what the first k neighbours hold together at level 1, by target row (m, k), ascending.
        distance: of each neighbour (m, k), ascending.

    To raise the level moves mass from filled neighbours to the next one. What that costs grows whenever a neighbour is
    full; the level stops where it outweighs `(1 - alpha) x m`.
    """
    if alpha == 0:
        return np.inf
    limit = (1 - alpha) * len(room) * scale / alpha
    at, dearer = room[:, :-1].ravel(), (np.diff(distance, axis=1) * room[:, :-1]).ravel()
    order = np.argsort(at, kind="stable")
    full = np.flatnonzero(np.cumsum(dearer[order]) >= limit)
    return float(at[order[full[0]]]) if len(full) else np.inf


def drawn(probability: FloatArray, budget: int, rng: np.random.Generator) -> tuple[AnyArray, FloatArray]:
    """The order in which draws with replacement would first meet rows of positive probability (n,), and, parallel to
    it, how much each weighs in a selection of `budget` rows.

    After t draws in a row's own time, t x p of them have met it in expectation, and it was met at all with probability
    1 - exp(-t p): their ratio is its weight. t is when the next row would come (Kool et al. 2019, arXiv 1903.06059;
    Duffield et al. 2007).
    """
    with np.errstate(divide="ignore"):
        logs = np.log(probability)
    keys = logs + rng.gumbel(size=len(probability))
    order = np.argsort(-keys, kind="stable")
    if budget >= len(order):
        return order, probability[order]
    draws = np.exp(logs[order] - keys[order[budget]])
    return order, np.asarray(draws / -np.expm1(-draws))
