"""Drift: whether two sets of rows differ in length, labels or meaning by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, FloatArray, UsageError
from dataflywheel.signals.model.cells import directions, nearest_cells, spherical_kmeans

LENGTHS = ("text.tokens_prompt", "text.tokens_answer")
LABELS = ("row.source", "row.tags")
VECTORS = ("embedding.vector",)
FEATURES = 256
"""Random features that stand for the kernel of MMD."""
CELLS = 16
ROUNDING = 1e-10
BLOCK_VALUES = 1 << 23
"""Values of permuted groups that are held at a time."""

Statistic = Callable[[FloatArray], FloatArray]
"""From signed weights (k, n), +1/m for rows of one set and -1/n for those of the other, to k statistics."""


@dataclass(frozen=True)
class DriftTest:
    """One comparison of two sets of rows.

    `statistic` is the distance between them: the largest gap between cumulative shares (KS, 0 to 1), chi-square, the
    squared maximum mean discrepancy (MMD, 0 to 4), or the share of rows that lie in another cluster (total variation,
    0 to 1). `p` is how often a random split of the same rows is as far apart; `adjusted` is the same after Holm's
    correction for all tests that were made.
    """

    column: str
    test: str
    statistic: float
    p: float
    adjusted: float
    before: int
    """Rows that were compared on each side: those with a value."""
    after: int

    def drifted(self, level: float = 0.05) -> bool:
        """Whether chance is no explanation at this level, all tests together."""
        return self.adjusted <= level


def drift(
    before: Columns,
    after: Columns,
    *,
    lengths: Sequence[str] = LENGTHS,
    labels: Sequence[str] = LABELS,
    vectors: Sequence[str] = VECTORS,
    permutations: int = 999,
    seed: int = 0,
) -> list[DriftTest]:
    """All tests that the columns of both sets allow; a column that one of them lacks, or that is constant, has none.

    Lengths (or any numbers) are compared by Kolmogorov and Smirnov's distance, labels by chi-square, vectors by MMD
    (Gaussian kernel with the median distance as its width, through random features) and by the shares of clusters. Of
    a list of tags the first counts. Every p-value comes from random splits of the pooled rows, so that ties, small
    sets and the choice of clusters cost no validity: at least 1 / (permutations + 1).

    Raises:
        UsageError: there is no column to compare.
    """
    found: list[DriftTest] = []
    kinds = (lengths, _values, _OF_VALUES), (labels, _labels, _OF_LABELS), (vectors, _directions, _OF_VECTORS)
    shared = [
        (name, read(before, name), read(after, name), tests)
        for names, read, tests in kinds
        for name in names
        if name in before.values and name in after.values
    ]
    if not shared:
        raise UsageError(f"drift: the two sets have none of {', '.join((*lengths, *labels, *vectors))} in common")
    for name, a, b, tests in shared:
        pooled = np.concatenate([a, b])
        if not len(a) or not len(b) or (pooled == pooled[0]).all():
            continue
        rng = np.random.default_rng([seed, len(found)])
        for test, make in tests.items():
            statistic, p = _permuted(make(pooled, rng), len(a), len(b), permutations, rng)
            found.append(DriftTest(name, test, statistic, p, p, len(a), len(b)))
    adjusted = holm([one.p for one in found])
    return [replace(one, adjusted=value) for one, value in zip(found, adjusted, strict=True)]


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the k-th smallest of m p-values times m - k + 1, never below the one before it.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    scaled = np.asarray(p, dtype=np.float64)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in adjusted]


def _permuted(
    statistic: Statistic, before: int, after: int, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The statistic of the two sets, and its place among those of random splits, its own included.

    Among equal ones the place is drawn, which keeps p uniform where there is no drift, however few values there are.
    """
    signs = np.concatenate([np.full(before, 1 / before), np.full(after, -1 / after)])
    observed = float(statistic(signs[None])[0])
    greater = equal = 0
    for size in _blocks(permutations, before + after):
        split = rng.permuted(np.broadcast_to(signs, (size, len(signs))), axis=1)
        excess = statistic(split) - observed
        greater += int((excess > ROUNDING).sum())
        equal += int((np.abs(excess) <= ROUNDING).sum())
    return observed, (greater + 1 + int(rng.integers(equal + 1))) / (permutations + 1)


def _blocks(permutations: int, rows: int) -> Iterator[int]:
    step = max(1, BLOCK_VALUES // rows)
    for start in range(0, permutations, step):
        yield min(step, permutations - start)


def _ks(values: AnyArray, rng: np.random.Generator) -> Statistic:
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)

    def statistic(signs: FloatArray) -> FloatArray:
        gap: FloatArray = np.abs(np.cumsum(signs[:, order], axis=1)[:, ends]).max(axis=1)
        return gap

    return statistic


def _chi_square(labels: AnyArray, rng: np.random.Generator) -> Statistic:
    _, label = np.unique(labels, return_inverse=True)
    member = np.eye(int(label.max()) + 1)[label]
    share = member.mean(axis=0)

    def statistic(signs: FloatArray) -> FloatArray:
        # With m and n rows, the sum over both sets of (observed - expected)^2 / expected comes down to this.
        scale = 1.0 / (1.0 / (signs > 0).sum(axis=1) + 1.0 / (signs < 0).sum(axis=1))
        value: FloatArray = scale * ((signs @ member) ** 2 / share).sum(axis=1)
        return value

    return statistic


def _mmd(vectors: AnyArray, rng: np.random.Generator) -> Statistic:
    one, other = rng.integers(0, len(vectors), (2, 1000))
    distance = np.linalg.norm(vectors[one] - vectors[other], axis=1)
    width = float(np.median(distance[distance > 0])) if (distance > 0).any() else 1.0
    angle = vectors @ rng.normal(0, 1 / width, (vectors.shape[1], FEATURES)) + rng.uniform(0, 2 * np.pi, FEATURES)
    features = np.sqrt(2 / FEATURES) * np.cos(angle)

    def statistic(signs: FloatArray) -> FloatArray:
        value: FloatArray = ((signs @ features) ** 2).sum(axis=1)
        return value

    return statistic


def _cluster_shares(vectors: AnyArray, rng: np.random.Generator) -> Statistic:
    cells = min(CELLS, len(vectors))
    centres = spherical_kmeans(vectors, cells, int(rng.integers(2**63)))
    member = np.eye(cells)[nearest_cells(vectors, centres, count=1)[:, 0]]

    def statistic(signs: FloatArray) -> FloatArray:
        value: FloatArray = np.abs(signs @ member).sum(axis=1) / 2
        return value

    return statistic


def _values(columns: Columns, name: str) -> AnyArray:
    return np.asarray(columns[name][columns.ok(name)], dtype=np.float64)


def _labels(columns: Columns, name: str) -> AnyArray:
    held = columns[name][columns.ok(name)].tolist()
    first = [(value[0] if len(value) else None) if isinstance(value, list) else value for value in held]
    return np.array([str(value) for value in first if value is not None], dtype=str)


def _directions(columns: Columns, name: str) -> AnyArray:
    return directions(columns[name][columns.ok(name)])[0]


_Tests = dict[str, Callable[[AnyArray, np.random.Generator], Statistic]]
_OF_VALUES: _Tests = {"KS": _ks}
_OF_LABELS: _Tests = {"chi-square": _chi_square}
_OF_VECTORS: _Tests = {"MMD": _mmd, "cluster shares": _cluster_shares}
