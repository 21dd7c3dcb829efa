"""What rows of each writer gain: learning curves fitted to the rounds of a wheel, with how far they can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, RoundResult

SHAPES = ((0.0, 0.25), (0.0, 1.0), (0.0, 4.0), (0.0, 16.0), (1.0, 0.5), (1.0, 1.0), (1.0, 4.0), (1.0, 16.0))
"""The shapes that are tried, each with its scale s in rows a seed: 0 grows without end as log(1 + n / s), and 1 comes
to an end as 1 - exp(-n / s)."""
MOST_SHAPES = 4
"""Writers up to which each may have its own shape; more have one in common."""
PRIOR = 0.002
"""Weight of the belief beforehand that a writer's rows gain nothing, in rounds of its own."""
PRIOR_SHAPE = 1.5
PRIOR_NOISE = 0.03
"""Standard deviation of one round's gain that is expected beforehand, as a share of the gains seen."""
DRAWS = 1_000


def per_row(rounds: Sequence[RoundResult], names: Sequence[str]) -> dict[str, float]:
    """Dollars by accepted row of each; empty where one of them brought no row or cost nothing."""
    rows = {name: sum(one.rows.get(name, 0.0) for one in rounds) for name in names}
    usd = {name: sum(one.usd.get(name, 0.0) for one in rounds) for name in names}
    if any(not rows[name] or not usd[name] for name in names):
        return {}
    return {name: usd[name] / rows[name] for name in names}


def reckoned(budget: int, prices: Mapping[str, float], names: Sequence[str]) -> FloatArray:
    """Rows of each that the same money buys: the budget at the cheapest price; all of it where prices are unknown."""
    if not prices:
        return np.full(len(names), float(budget))
    least = min(prices.values())
    return np.array([budget * least / prices[name] for name in names])


def curves(
    rounds: Sequence[RoundResult], names: Sequence[str], more: FloatArray, seeds: int, rng: np.random.Generator
) -> FloatArray | None:
    """Draws of what `more` rows (k,) of each of k writers would gain now, (draws, k); None where no gain is known.

    A writer's n rows gain b log(1 + n / s) together, or b (1 - exp(-n / s)), where b, s and which of the two are
    unknown. With a shape given, the gains of the rounds are a linear regression with a normal-gamma prior; each
    combination of shapes counts by its evidence. What steps beside these brought is one more curve.
    """
    before, after = _amounts(rounds, names)
    gain = np.array([one.gain for one in rounds], dtype=float)
    seen = np.isfinite(gain) & (after > before).any(axis=1) & (np.arange(len(rounds)) > 0)
    if not seen.any() or not gain[seen].any():
        return None
    before, after, gain, now = before[seen], after[seen], gain[seen], _now(before, after, rounds)
    width, k = before.shape[1], len(names)
    one = np.array([*more, *np.full(width - k, more.max())])
    shapes = list(product(SHAPES, repeat=width)) if width <= MOST_SHAPES else [(s,) * width for s in SHAPES]
    fits = _fits(before, after, gain, now, one, np.array(shapes) * [1, seeds])
    weights = np.exp(fits.evidence - fits.evidence.max())
    found: FloatArray = fits.drawn(rng.choice(len(shapes), size=DRAWS, p=weights / weights.sum()), rng)[:, :k]
    return found


def _amounts(rounds: Sequence[RoundResult], names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Rows of each writer, and of all other steps where there are any, before and after each round, (rounds, k)."""
    others = sorted({name for one in rounds for name, rows in one.rows.items() if rows} - set(names))
    came = np.array([[one.rows.get(name, 0.0) for name in names] for one in rounds]).reshape(-1, len(names))
    if others:
        rest = [[sum(one.rows.get(name, 0.0) for name in others)] for one in rounds]
        came = np.hstack([came, np.array(rest)])
    before, held = np.zeros_like(came), np.zeros(came.shape[1])
    for place, one in enumerate(rounds):
        before[place] = held
        held = held + came[place] * one.kept
    return before, before + came


def _now(before: FloatArray, after: FloatArray, rounds: Sequence[RoundResult]) -> FloatArray:
    """Rows that a next round would go on from, (k,)."""
    last: FloatArray = (after if rounds[-1].kept else before)[-1]
    return last


@dataclass(frozen=True)
class Fits:
    """The regression under each of m combinations of shapes."""

    evidence: FloatArray
    """(m,), its logarithm up to a constant."""
    mean: FloatArray
    """(m, k): what the first rows asked for would have gained."""
    precision: FloatArray
    """(m, k, k), in units of the noise's."""
    ahead: FloatArray
    """(m, k): what the next such rows gain of it."""
    half: float
    rate: FloatArray
    """(m,): shape and rate of the noise's precision."""

    def drawn(self, which: AnyArray, rng: np.random.Generator) -> FloatArray:
        """Gains of the next rows, (draws, k), each under the combination that is named."""
        roots = np.linalg.cholesky(np.linalg.inv(self.precision))[which]
        noise = np.sqrt(self.rate[which] / rng.gamma(self.half, size=len(which)))
        off = np.einsum("dij,dj->di", roots, rng.standard_normal((len(which), self.mean.shape[1])))
        found: FloatArray = (self.mean[which] + noise[:, None] * off) * self.ahead[which]
        return found


def _fits(
    before: FloatArray, after: FloatArray, gain: FloatArray, now: FloatArray, more: FloatArray, shapes: FloatArray
) -> Fits:
    """Shapes are (m, k, 2), rows before and after (rounds, k), gains (rounds,)."""
    unit = _gained(more, shapes)
    at_end, at_start = (_gained(rows, shapes[:, None]) for rows in (after, before))
    steps = (at_end - at_start) / unit[:, None]
    precision = PRIOR * np.eye(len(more)) + np.einsum("mrk,mrl->mkl", steps, steps)
    mean = np.linalg.solve(precision, (np.einsum("mrk,r->mk", steps, gain))[..., None])[..., 0]
    left = np.maximum(0.0, gain @ gain - np.einsum("mk,mkl,ml->m", mean, precision, mean))
    half = PRIOR_SHAPE + len(gain) / 2
    rate = PRIOR_SHAPE * PRIOR_NOISE**2 * float(gain @ gain) / len(gain) + left / 2
    evidence = -0.5 * np.linalg.slogdet(precision)[1] - half * np.log(rate)
    return Fits(evidence, mean, precision, (_gained(now + more, shapes) - _gained(now, shapes)) / unit, half, rate)


def _gained(rows: FloatArray, shapes: FloatArray) -> FloatArray:
    """What so many rows gained together, (..., k), for a worth of 1."""
    by = rows / shapes[..., 1]
    found: FloatArray = np.where(shapes[..., 0] == 0, np.log1p(by), -np.expm1(-by))
    return found
