"""How much better one model is than another on the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.metrics.named import better
from dataflywheel.store.scoreboard import ValueInterval

RESAMPLES = 2000


@dataclass(frozen=True)
class Resampled:
    """By how much `after` is better than `before`, over n shared rows and in each resample of them; empty below two."""

    value: float
    spread: FloatArray
    n: int


def improvement(
    before: RowScores, after: RowScores, metric: str, slices: Sequence[str] | None = None, seed: int = 0
) -> ValueInterval:
    """By how much `after` is better than `before`: a paired bootstrap over the rows that both have a score for, in the
    metric's unit. Above 0 is better; NaN where fewer than two rows are shared.

    Args:
        slices: only rows of these slices.
    """
    found = resampled(before, after, metric, slices, seed)
    if found.n < 2:
        return ValueInterval(n=found.n)
    low, high = np.percentile(found.spread[np.isfinite(found.spread)], [2.5, 97.5])
    return ValueInterval(value=found.value, low=float(low), high=float(high), n=found.n)


def resampled(
    before: RowScores, after: RowScores, metric: str, slices: Sequence[str] | None = None, seed: int = 0
) -> Resampled:
    """What `improvement` takes its interval from."""
    first, second = _shared(before, after, slices)
    n = len(first)
    if n < 2:
        return Resampled(math.nan, np.empty(0), n)
    sign = 1 if better(metric) == "higher" else -1
    columns = np.stack([before.value[first], before.weight[first], after.value[second], after.weight[second]], axis=1)
    spread = sign * _difference(bootstrap_counts(n, seed) @ columns)
    return Resampled(sign * float(_difference(columns.sum(axis=0))), spread, n)


def bootstrap_counts(n: int, seed: int, resamples: int = RESAMPLES) -> FloatArray:
    """How often each of n rows occurs in each resample, (resamples, n)."""
    drawn: FloatArray = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples).astype(np.float64)
    return drawn


def _difference(sums: FloatArray) -> FloatArray:
    """The second ratio less the first, of sums (..., 4)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        change: FloatArray = sums[..., 2] / sums[..., 3] - sums[..., 0] / sums[..., 1]
    return change


def _shared(before: RowScores, after: RowScores, slices: Sequence[str] | None) -> tuple[AnyArray, AnyArray]:
    """Positions of the rows that both scored, in the order of `before`."""
    place = {id: i for i, id in enumerate(after.ids.tolist()) if np.isfinite(after.value[i])}
    wanted = None if slices is None else set(slices)
    first = [
        i
        for i, id in enumerate(before.ids.tolist())
        if id in place and np.isfinite(before.value[i]) and (wanted is None or before.slices[i] in wanted)
    ]
    return np.array(first, dtype=np.int64), np.array([place[before.ids[i]] for i in first], dtype=np.int64)
