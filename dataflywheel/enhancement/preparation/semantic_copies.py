"""Semantic duplicates: rows whose embeddings have nearly the same direction."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.enhancement.preparation.copies import Copies
from dataflywheel.signals.model.cells import BLOCK, directions, nearest_cells, spherical_kmeans

EXACT_BELOW = 20_000
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
