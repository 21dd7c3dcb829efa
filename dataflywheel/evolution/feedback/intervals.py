"""95 % intervals of what was measured over rows."""

from __future__ import annotations

import math

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.evolution.metrics.named import is_share

NORMAL_95 = 1.959963984540054


def shown(metric: str, value: FloatArray, weight: FloatArray, resamples: int) -> dict[str, float]:
    """`interval`; Wilson's for a share of right answers, where no resample of 0 right of 12 has one that is right."""
    found = interval(value, weight, resamples)
    if is_share(metric):
        found["low"], found["high"] = wilson(float(np.nansum(value)), int(found["n"]))
    return found


def interval(value: FloatArray, weight: FloatArray, resamples: int, seed: int = 0) -> dict[str, float]:
    """`sum(value) / sum(weight)` with its 95 % percentile bootstrap interval over rows, and n."""
    from scipy.stats import bootstrap

    ok = np.isfinite(value)
    value, weight = value[ok], weight[ok]
    if not len(value):
        return {"value": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    point = float(value.sum() / weight.sum())
    if len(value) == 1:
        return {"value": point, "low": math.nan, "high": math.nan, "n": 1}
    found = bootstrap(
        (value, weight),
        lambda v, w, axis: v.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        method="percentile",
        batch=200,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return {"value": point, "low": float(found.low), "high": float(found.high), "n": len(value)}


def wilson(right: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, of which `right` of n were right; NaN for n = 0.

    >>> [round(x, 4) for x in wilson(0, 10)]
    [0.0, 0.2775]
    """
    if n == 0:
        return math.nan, math.nan
    z2, share = NORMAL_95**2, right / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return (low if right > 0 else 0.0), (high if right < n else 1.0)
