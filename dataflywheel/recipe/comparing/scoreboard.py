"""From trials to verdicts: means over seeds, 95 % intervals, and differences to random paired by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import FloatArray

Verdict = Literal["better than random", "no better than random", "worse than random", "baseline"]


def mean_interval(values: Sequence[float]) -> dict[str, float]:
    """Mean with the 95 % Student interval over seeds.

    >>> {k: round(v, 3) for k, v in mean_interval([1.0, 2.0, 3.0]).items()}
    {'mean': 2.0, 'low': -0.484, 'high': 4.484}
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return {"mean": mean, "low": math.nan, "high": math.nan}
    half = float(t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array)))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def verdict(difference: dict[str, float], better: str) -> Verdict:
    """In words; an interval that touches zero is no difference."""
    sign = -1 if better == "lower" else 1
    low, high = sorted((sign * difference["low"], sign * difference["high"]))
    if math.isnan(low) or low <= 0 <= high:
        return "no better than random"
    return "better than random" if low > 0 else "worse than random"


def score_arm(scores: Sequence[float], random: Sequence[float] | None, better: str) -> dict[str, Any]:
    """An arm's line on the board: scores by seed, interval, and the difference to random (None: it is random)."""
    line: dict[str, Any] = {"scores": [float(s) for s in scores], **mean_interval(scores)}
    return {**line, **against(scores, random, better)}


def against(scores: Sequence[float], random: Sequence[float] | None, better: str) -> dict[str, Any]:
    """`difference` with its interval, paired by seed, and `verdict`."""
    if random is None:
        return {"difference": None, "verdict": "baseline"}
    difference = mean_interval([a - b for a, b in zip(scores, random, strict=True)])
    return {"difference": difference, "verdict": verdict(difference, better)}


def slice_intervals(by_seed: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and interval over seeds for each slice."""
    return {name: mean_interval([found[name] for found in by_seed]) for name in (by_seed[0] if by_seed else {})}


def jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    """Shared rows over all rows of two selections."""
    left, right = set(a), set(b)
    return len(left & right) / max(1, len(left | right))


def length_shift(chosen: FloatArray, offered: FloatArray) -> float:
    """Mean answer length of the selection over that of the rows offered."""
    return float(chosen.mean() / offered.mean()) if len(chosen) and offered.mean() else math.nan
