"""From trials to verdicts: means over seeds, 95 % intervals, and differences to random paired by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.store.scoreboard import Against, Better, MeanInterval

Verdict = Literal["better than random", "no better than random", "worse than random", "baseline"]


def mean_interval(values: Sequence[float]) -> MeanInterval:
    """Mean with the 95 % Student interval over seeds.

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> found.mean, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return MeanInterval(mean=mean)
    half = float(t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array)))
    return MeanInterval(mean=mean, low=mean - half, high=mean + half)


def verdict(difference: MeanInterval, better: Better) -> Verdict:
    """In words; an interval that touches zero is no difference."""
    sign = -1 if better == "lower" else 1
    low, high = sorted((sign * difference.low, sign * difference.high))
    if math.isnan(low) or low <= 0 <= high:
        return "no better than random"
    return "better than random" if low > 0 else "worse than random"


def against(scores: Sequence[float], random: Sequence[float] | None, better: Better) -> Against:
    """The difference to random with its interval, paired by seed, and what it says (None: it is random)."""
    if random is None:
        return Against(verdict="baseline")
    difference = mean_interval([a - b for a, b in zip(scores, random, strict=True)])
    return Against(difference=difference, verdict=verdict(difference, better))


def slice_intervals(by_seed: Sequence[dict[str, float]]) -> dict[str, MeanInterval]:
    """Mean and interval over seeds for each slice."""
    return {name: mean_interval([found[name] for found in by_seed]) for name in (by_seed[0] if by_seed else {})}


def jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    """Shared rows over all rows of two selections."""
    left, right = set(a), set(b)
    return len(left & right) / max(1, len(left | right))


def length_shift(chosen: FloatArray, offered: FloatArray) -> float:
    """Mean answer length of the selection over that of the rows offered."""
    return float(chosen.mean() / offered.mean()) if len(chosen) and offered.mean() else math.nan
