"""Vectors in cells: spherical k-means, shared by whatever works on neighbourhoods or balances them."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray

ITERATIONS = 10
SAMPLES_A_CELL = 64
BLOCK = 1024


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
