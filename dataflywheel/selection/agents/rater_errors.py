"""A rater's error matrix from the agreement of neighbours, without a single true score.

Rows with near vectors mostly deserve the same score, so a row and two neighbours are three independent ratings of one
hidden score. How often each triple of scores occurs determines how often each score is given for each true one (the
consensuses of HOC, arXiv 2102.05291, which DS2 uses). Here the likelihood of the triples is maximised by EM.

No table of triples can tell a rater's error from a row that truly differs from its neighbours: where a share of the
rows does, the rater looks that much worse, and a correction draws those rows to their neighbours' score.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError

NEIGHBOURS = 10
MIN_ROWS = 50
STEPS = 3000
TOLERANCE = 1e-10
"""Change of a cell in one step below which EM has arrived."""
MIN_AGREEMENT = 0.05
"""Cohen's kappa of rows with their nearest neighbours: below, vectors say next to nothing about scores."""
MIN_ACCURACY = 0.5
"""Share of right scores: below, neighbours do not share their scores, or the rater is wrong more often than right."""
BLOCK = 1024


@dataclass(frozen=True)
class RaterErrors:
    """What is known of a rater over `levels` (K,): `matrix[i, j]` (K, K) is the probability of giving j for a true i.

    `prior` (K,) are the shares of the true scores; `accuracy` the share of scores that are right; `agreement` the
    kappa of a row with its nearest neighbour.
    """

    levels: AnyArray
    matrix: FloatArray
    prior: FloatArray
    accuracy: float
    agreement: float


def rater_errors(scores: AnyArray, neighbours: AnyArray) -> RaterErrors:
    """The error matrix of the rater who gave `scores` (n,), by the agreement with `neighbours` (n, k), nearest first.

    Scores that never occur are no level. EM starts from a rater who is right in three of four cases, which settles
    which hidden score is which.

    Raises:
        UsageError: fewer than 50 rows or two levels; or the vectors are not clustered by score, so that nothing can
            be told: neighbours agree hardly more than by chance, or fewer than half of the scores come out right.
    """
    if len(scores) < MIN_ROWS:
        raise UsageError(f"the rater's errors cannot be told from {len(scores)} rows; at least {MIN_ROWS} are needed")
    levels, level = np.unique(scores, return_inverse=True)
    if len(levels) < 2:
        raise UsageError(f"every row has the score {levels[0]:g}: there is nothing to correct")
    agreement = kappa(level, level[neighbours[:, 0]], len(levels))
    # Under independence kappa has a deviation of about 1 / sqrt(n (K - 1)); five of them leave no doubt.
    least = max(MIN_AGREEMENT, 5 / np.sqrt(len(level) * (len(levels) - 1)))
    if agreement < least:
        raise UsageError(
            f"rows with near vectors do not share their scores (kappa {agreement:.3f}, {least:.3f} is needed), so "
            "the rater's errors cannot be told; rank by the raw scores, or give vectors that know about quality"
        )
    triples = consensus(level, neighbours, len(levels))
    prior, matrix = _fit(triples, len(levels))
    accuracy = float(prior @ np.diag(matrix))
    if accuracy < MIN_ACCURACY:
        raise UsageError(
            f"by the agreement of neighbours only {accuracy:.0%} of the scores are right: rows with near vectors do "
            "not share their scores, or the rater is mostly wrong; rank by the raw scores, or choose another rater"
        )
    return RaterErrors(levels, matrix, prior, accuracy, agreement)


def kappa(one: AnyArray, other: AnyArray, levels: int) -> float:
    """Agreement of two lists of levels beyond chance (Cohen)."""
    chance = float(np.bincount(one, minlength=levels) @ np.bincount(other, minlength=levels)) / len(one) ** 2
    return (float((one == other).mean()) - chance) / (1 - chance) if chance < 1 else 0.0


def consensus(level: AnyArray, neighbours: AnyArray, levels: int) -> FloatArray:
    """How often a row and two of its neighbours hold each triple of levels, (K, K, K), with sum 1."""
    counts = np.zeros(levels**3)
    for a, b in combinations(range(neighbours.shape[1]), 2):
        first, second = level[neighbours[:, a]], level[neighbours[:, b]]
        counts += np.bincount((level * levels + first) * levels + second, minlength=levels**3)
    cube = counts.reshape(levels, levels, levels)
    # The three are exchangeable: all orders of a triple are the same event.
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    symmetric = np.sum([cube.transpose(order) for order in orders], axis=0)
    return np.asarray(symmetric / symmetric.sum())


def _fit(triples: FloatArray, levels: int) -> tuple[FloatArray, FloatArray]:
    """Prior (K,) and matrix (K, K) of the hidden score: EM on the table of triples."""
    prior = triples.sum(axis=(1, 2))
    matrix = np.full((levels, levels), 0.25 / max(levels - 1, 1))
    np.fill_diagonal(matrix, 0.75)
    for _ in range(STEPS):
        joint = np.einsum("i,ij,ik,il->ijkl", prior, matrix, matrix, matrix)
        hidden = joint / np.maximum(joint.sum(axis=0), 1e-300) * triples
        # The table is symmetric, so one margin of the three stands for all.
        margin = hidden.sum(axis=(2, 3))
        prior = margin.sum(axis=1)
        found = margin / np.maximum(prior[:, None], 1e-300)
        moved = float(np.abs(found - matrix).max())
        matrix = found
        if moved < TOLERANCE:
            break
    return prior, matrix


def posterior(errors: RaterErrors, scores: AnyArray, neighbours: AnyArray) -> FloatArray:
    """Probability (n, K) of each true level given a row's own score and those of its neighbours."""
    level = np.searchsorted(errors.levels, scores)
    evidence = np.log(np.maximum(errors.matrix, 1e-6))
    log = np.log(np.maximum(errors.prior, 1e-6)) + evidence[:, level].T
    for column in neighbours.T:
        log = log + evidence[:, level[column]].T
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def nearest(vectors: AnyArray, count: int = NEIGHBOURS) -> tuple[AnyArray, FloatArray]:
    """For unit vectors (n, d) the `count` most similar other rows (n, count), nearest first, and their cosines."""
    n = len(vectors)
    count = min(count, n - 1)
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    found, cosines = np.empty((n, count), dtype=np.int64), np.empty((n, count))
    for start in range(0, n, BLOCK):
        cosine = vectors[start : start + BLOCK] @ vectors.T
        own = np.arange(len(cosine))
        cosine[own, start + own] = -np.inf
        best = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(cosine, best, axis=1)
        order = np.lexsort((best, -near), axis=1)
        found[start : start + BLOCK] = np.take_along_axis(best, order, axis=1)
        cosines[start : start + BLOCK] = np.take_along_axis(near, order, axis=1)
    return found, cosines
