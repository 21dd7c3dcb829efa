"""Semantic duplicates: rows whose embeddings have nearly the same direction."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.enhancement.preparation.copies import Copies

EXACT_BELOW = 20_000
ITERATIONS = 10
SAMPLES_A_CELL = 64
BLOCK = 1024
ROUNDING = 1e-6  # of a float32 dot product: equal vectors reach a threshold of 1
SLACK = 1e-4  # between the rounding of blocked products and that of the deciding dot product


def semantic_duplicates(
    vectors: AnyArray, threshold: float = 0.95, *, exact_below: int = EXACT_BELOW, seed: int = 0
) -> Copies:
    """Keep the first of all rows whose vectors (n, d) have a cosine of `threshold` or more.

    Below `exact_below` rows every pair is looked at. Above, as in SemDeDup (Abbas et al. 2023), spherical k-means
    splits the rows into about sqrt(n) cells; a pair is looked at when the two nearest cells of one row and of the other
    have one in common, which finds nearly all pairs that lie astride a border. Rows that hold a NaN or are zero are
    never a copy.

    >>> found = semantic_duplicates(np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.1]]))
    >>> found.kept.tolist(), found.copy_of.tolist()
    ([True, True, False], [0])
    """
    unit, usable = directions(vectors)
    if len(usable) < 2:
        return Copies.none(len(vectors))
    if len(usable) < exact_below:
        cells = np.zeros((len(usable), 1), dtype=np.int64)
    else:
        cells = nearest_cells(unit, spherical_kmeans(unit, int(np.sqrt(len(unit))), seed))
    marked = with_partner(unit, cells, threshold - SLACK)
    candidates = np.flatnonzero(marked)
    if not len(candidates):
        return Copies.none(len(vectors))
    return keep_first(
        np.ascontiguousarray(unit[candidates]), cells[candidates], threshold, usable[candidates], len(vectors)
    )


def keep_first(unit: AnyArray, cells: AnyArray, threshold: float, rows: AnyArray, total: int) -> Copies:
    from dataflywheel.enhancement.preparation.copy_kernels import keep_first_vectors

    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(cells.ravel()))])
    original, similarity = np.empty(len(unit), dtype=np.int64), np.empty(len(unit))
    keep_first_vectors(unit, cells, starts, threshold - ROUNDING, original, similarity)
    return Copies.of(total, rows, original, similarity)


def directions(vectors: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Vectors of unit length (m, d) float32 and the rows (m,) that have one."""
    vectors = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(vectors, axis=1)
    usable = np.flatnonzero(np.isfinite(length) & (length > 0))
    return vectors[usable] / length[usable, None], usable


def spherical_kmeans(unit: AnyArray, cells: int, seed: int) -> AnyArray:
    """Centres (cells, d) of unit length after ten rounds over a sample of 64 rows a cell; an empty cell stays."""
    rng = np.random.default_rng(seed)
    sample = unit[np.sort(rng.choice(len(unit), min(len(unit), SAMPLES_A_CELL * cells), replace=False))]
    centres = sample[np.sort(rng.choice(len(sample), cells, replace=False))]
    for _ in range(ITERATIONS):
        nearest = nearest_cells(sample, centres, count=1)[:, 0]
        order = np.argsort(nearest, kind="stable")
        present, first = np.unique(nearest[order], return_index=True)
        sums = np.add.reduceat(sample[order], first, axis=0)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = centres.copy()
        centres[present] = np.where(length > 0, sums / np.maximum(length, 1e-12), centres[present])
    return centres


def nearest_cells(unit: AnyArray, centres: AnyArray, count: int = 2) -> AnyArray:
    """The `count` nearest centres of each row (n, count), nearest first."""
    found = np.empty((len(unit), count), dtype=np.int64)
    for start in range(0, len(unit), BLOCK):
        near = unit[start : start + BLOCK] @ centres.T
        for k in range(count):
            best = near.argmax(axis=1)
            found[start : start + len(near), k] = best
            near[np.arange(len(near)), best] = -np.inf
    return found


def with_partner(unit: AnyArray, cells: AnyArray, threshold: float) -> AnyArray:
    """Mask (n,) of the rows that reach the threshold with another row of one of their cells."""
    marked = np.zeros(len(unit), dtype=bool)
    flat = cells.ravel()
    order = np.argsort(flat, kind="stable")
    bounds = np.flatnonzero(np.diff(flat[order])) + 1
    for entries in np.split(order, bounds):
        members = entries // cells.shape[1]
        mark_within(unit if len(members) == len(unit) else unit[members], members, threshold, marked)
    return marked


def mark_within(vectors: AnyArray, members: AnyArray, threshold: float, marked: AnyArray) -> None:
    """Products of one cell in blocks of the upper triangle; no more than `BLOCK` x members values are held."""
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        near = block @ vectors[start:].T
        np.fill_diagonal(near, -np.inf)
        above = near >= threshold
        marked[members[start : start + len(block)]] |= above.any(axis=1)
        marked[members[start:]] |= above.any(axis=0)
