"""Strengths from comparisons: the Bradley-Terry model with a normal prior, so that no comparison graph diverges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError

MOST_ITEMS = 4000
"""The Hessian is dense: 128 MB at this size."""
STEPS = 50
PRIOR_DEVIATION = 2.0
"""Of strengths, in logits: the best of many items beats the middle one with a probability of about 0.98."""


@dataclass(frozen=True)
class Strengths:
    """`value` (n,) in logits, P(i beats j) = sigmoid(value_i - value_j), with mean near 0; `error` its deviation
    under the posterior (Laplace): the standard error."""

    value: FloatArray
    error: FloatArray


def bradley_terry(wins: AnyArray, prior_deviation: float = PRIOR_DEVIATION) -> Strengths:
    """The most probable strengths given who beat whom (Bradley and Terry, 1952), by Newton's method.

    The prior, normal around 0, keeps strengths finite for items that always won and for parts of the graph that were
    never compared. Draws count as half a win for each side.

    Args:
        wins: (n, n), wins[i, j] is how often i beat j.

    >>> found = bradley_terry(np.array([[0, 9], [1, 0]]))
    >>> bool(found.value[0] > 0.5), bool(np.isclose(found.value[0], -found.value[1]))
    (True, True)

    Raises:
        UsageError: not a square matrix of counts, or more than 4,000 items.
    """
    wins = np.asarray(wins, dtype=np.float64)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or not (wins >= 0).all() or not np.isfinite(wins).all():
        raise UsageError("bradley_terry: wins must be a square matrix of counts, none of them negative")
    n = len(wins)
    if n > MOST_ITEMS:
        raise UsageError(
            f"bradley_terry: {n:,} items are too many (at most {MOST_ITEMS:,}); compare with fixed anchors"
        )
    games, precision = wins + wins.T, prior_deviation**-2
    value = np.zeros(n)
    hessian = np.eye(n)
    for _ in range(STEPS):
        expected = games / (1 + np.exp(np.clip(value[None, :] - value[:, None], -500, 500)))
        gradient = wins.sum(axis=1) - expected.sum(axis=1) - precision * value
        curvature = np.where(games > 0, expected * (1 - expected / np.where(games > 0, games, 1)), 0.0)
        hessian = np.diag(curvature.sum(axis=1) + precision) - curvature
        step = np.linalg.solve(hessian, gradient)
        # A long step may overshoot where the curvature is small: half of it still climbs a concave function.
        value = value + step * min(1.0, 2.0 / max(float(np.abs(step).max(initial=0.0)), 1e-12))
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return Strengths(value, np.sqrt(np.diag(np.linalg.inv(hessian))))


def strength_against(
    anchors: AnyArray, wins: AnyArray, games: AnyArray, prior_deviation: float = PRIOR_DEVIATION
) -> tuple[float, float]:
    """Strength and standard error of one item from `wins` out of `games` against items of known strength (m,)."""
    anchors, games = np.asarray(anchors, dtype=np.float64), np.asarray(games, dtype=np.float64)
    total, precision, value, curvature = float(np.sum(wins)), prior_deviation**-2, 0.0, 0.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(np.clip(anchors - value, -500, 500)))
        curvature = float((games * chance * (1 - chance)).sum()) + precision
        step = (total - float((games * chance).sum()) - precision * value) / curvature
        value += min(max(step, -2.0), 2.0)
        if abs(step) < 1e-9:
            break
    return value, curvature**-0.5
