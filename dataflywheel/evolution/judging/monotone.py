"""CalibraEval's map of a judge's probabilities: learned without labels, from how they change when options move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError


@dataclass(frozen=True)
class MonotoneMap:
    """A non-decreasing piecewise linear function on [0, 1] from 0 to 1: `values` at `knots`, both (K + 1,)."""

    knots: FloatArray
    values: FloatArray

    def __call__(self, p: FloatArray) -> FloatArray:
        mapped: FloatArray = np.interp(p, self.knots, self.values)
        return mapped


def fit_monotone(
    plain: FloatArray, moved: FloatArray, exchanged: FloatArray, spread: float = 0.1, pieces: int = 64
) -> MonotoneMap:
    """The map f that makes a judge say the same of the same answer, whichever letter and place it has.

    Minimises, over pairs, `(f(plain) + f(exchanged) - 1)^2 + (f(plain) - f(moved))^2 - spread (f(plain) -
    f(exchanged))^2`: the last term keeps f from calling everything a draw. The increments of f between its knots are
    a softmax, so that f is monotone whatever the optimiser does (Li et al. 2024, 2410.15393).

    Args:
        plain: P(letter A) with answer 1 as A, shown first (n,).
        moved: P(A) with answer 1 as A, shown last (n,).
        exchanged: P(A) with answer 2 as A, shown first (n,).
        spread: weight of the term against draws.
        pieces: linear pieces, at most; knots lie at quantiles of all the probabilities.

    Raises:
        UsageError: probabilities outside [0, 1] or not finite, or of different lengths.
    """
    from scipy.optimize import minimize

    together = np.concatenate([plain, moved, exchanged])
    if not len(plain) == len(moved) == len(exchanged) or not len(plain) or not np.isfinite(together).all():
        raise UsageError("calibra_eval: needs three finite probabilities a pair, of at least one pair")
    if together.min() < 0 or together.max() > 1:
        raise UsageError("calibra_eval: probabilities must lie between 0 and 1")
    inner = np.quantile(together, np.linspace(0, 1, pieces + 1)[1:-1])
    knots = np.unique(np.concatenate([[0.0], inner, [1.0]]))
    weights = [_weights(p, knots) for p in (plain, moved, exchanged)]
    # Starts as the identity: a judge without bias keeps its probabilities.
    start = np.log(np.diff(knots))
    found = minimize(_loss, start, args=(weights, spread), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return MonotoneMap(knots, _values(found.x))


def _weights(p: FloatArray, knots: FloatArray) -> FloatArray:
    """Linear interpolation as a matrix (n, K + 1): `weights @ values` is f(p)."""
    left = np.clip(np.searchsorted(knots, p, side="right") - 1, 0, len(knots) - 2)
    share = (p - knots[left]) / (knots[left + 1] - knots[left])
    weights = np.zeros((len(p), len(knots)))
    rows = np.arange(len(p))
    weights[rows, left] = 1 - share
    weights[rows, left + 1] = share
    return weights


def _values(increments: FloatArray) -> FloatArray:
    """f at the knots: the running sum of the softmax of (K,) numbers, from 0 to 1."""
    raised = np.exp(increments - increments.max())
    return np.concatenate([[0.0], np.cumsum(raised / raised.sum())])


def _loss(increments: FloatArray, weights: list[FloatArray], spread: float) -> tuple[float, FloatArray]:
    """The mean loss of a pair and its gradient by the increments (K,)."""
    values = _values(increments)
    plain, moved, exchanged = (w @ values for w in weights)
    whole, same, apart = plain + exchanged - 1, plain - moved, plain - exchanged
    loss = float((whole**2 + same**2 - spread * apart**2).mean())
    by_plain, by_moved, by_exchanged = whole + same - spread * apart, -same, whole + spread * apart
    by_values = 2 * (weights[0].T @ by_plain + weights[1].T @ by_moved + weights[2].T @ by_exchanged) / len(plain)
    # Increment k moves every value from knot k + 1 on.
    by_steps = np.cumsum(by_values[:0:-1])[::-1]
    steps = np.diff(values)
    return loss, steps * (by_steps - (steps * by_steps).sum())
