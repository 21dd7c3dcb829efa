"""Inverse-propensity sampling: rows of crowded regions are drawn less often."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import counts, eligible
from dataflywheel.selection.vectors import VectorColumn, directions_of

BLOCK = 1024
SEED = 0  # of the hash planes: a row's density must not depend on the draw


class Density(Selector):
    """Draws rows without replacement with probability proportional to 1 / density over embeddings.

    The density is a kernel sum over the other rows, `sum_j (1 - angle(i, j) / pi) ** bits`: the chance that `bits`
    random hyperplanes do not separate two rows. Hashed counts estimate it in O(n), the exact sum is used for small
    pools.
    """

    card: ClassVar[Card] = Card(
        title="How to Train Data-Efficient LLMs",
        authors="Sachdeva et al.",
        year=2024,
        paper="2402.09668",
        category="selection",
        subcategory="static",
        summary="Samples rows inversely to the density of their neighbourhood.",
        needs=("embedder",),
        checked="sketch against exact kernel density, and a cluster planted 50-fold thinned to its neighbours' share",
        pays="Large pools of which a few templates or sites hold most of the rows, to train on fewer and lose no rare "
        "kind.",
        fails="Broken and foreign rows lie in empty regions and are drawn most: filter first; where a target is at "
        "hand take `rds_plus`.",
        evidence="The paper: it recovers the quality of the full data, and does not beat it; not measured here.",
    )
    deterministic: ClassVar[bool] = False

    vector: VectorColumn = "embedding.vector"
    """Column with the vectors, of which the directions count."""
    bits: int | None = Field(default=None, ge=1, le=24)
    """Hyperplanes a hash: more is a narrower kernel. By default log2 of the rows, where unrelated rows share about
    one bucket."""
    hashes: int = Field(default=500, ge=1)
    """Independent hashes in the sketch: the standard error of a density falls with its square root."""
    exact_rows: int = Field(default=10_000, ge=0)
    """Pools up to this size get the exact sum."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.vector)
        vectors = directions_of(columns, rows, self.vector)
        bits = self.bits or min(max(math.ceil(math.log2(max(len(rows), 2))), 4), 24)
        exact = len(rows) <= self.exact_rows
        density = exact_density(vectors, bits) if exact else sketched_density(vectors, bits, self.hashes)
        # Gumbel top-k: the largest log-weights plus Gumbel noise are a draw without replacement in proportion to the
        # weights.
        order = np.argsort(np.log(density) - rng.gumbel(size=len(rows)), kind="stable")
        notes = counts(columns, rows, self.vector) | {"bits": bits, "exact": exact}
        return Selection(rows[order], 1 / density[order], "drawn in proportion to 1 / density", notes=notes)


def exact_density(vectors: AnyArray, bits: int) -> FloatArray:
    """Kernel sum over the other rows for unit vectors (n, d), shape (n,), in blocks; see `floor`."""
    total = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        cosine = np.clip(vectors[start : start + BLOCK] @ vectors.T, -1, 1)
        total[start : start + BLOCK] = ((1 - np.arccos(cosine) / np.pi) ** bits).sum(axis=1, dtype=np.float64)
    return floor(total - 1, bits)


def sketched_density(vectors: AnyArray, bits: int, hashes: int) -> FloatArray:
    """Unbiased estimate of `exact_density`: the mean number of other rows in the same bucket over random-plane
    hashes."""
    rng = np.random.default_rng(SEED)
    weights = (1 << np.arange(bits)).astype(np.float32)  # exact in float32 up to 24 bits
    total = np.zeros(len(vectors))
    for _ in range(hashes):
        planes = rng.standard_normal((vectors.shape[1], bits), dtype=np.float32)
        bucket = ((vectors @ planes > 0) @ weights).astype(np.int64)
        total += np.bincount(bucket, minlength=1 << bits)[bucket]
    return floor(total / hashes - 1, bits)


def floor(density: FloatArray, bits: int) -> FloatArray:
    """No density below that of a row at right angles to all others: it keeps the weight of an outlier finite."""
    return np.maximum(density, max(len(density) - 1, 1) * 0.5**bits)
