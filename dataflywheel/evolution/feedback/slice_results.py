"""How a model does on each skill, in the metric and as a share of what can be had: what policies decide by."""

from __future__ import annotations

import math

import numpy as np

from dataflywheel.contracts import FloatArray, SliceResult, UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores
from dataflywheel.evolution.feedback.intervals import shown
from dataflywheel.evolution.metrics.named import better, is_share

BITS_OF_A_BYTE = 8.0


def slice_results(
    scores: RowScores, metric: str, settings: Evaluate | None = None, chance: float | None = None
) -> list[SliceResult]:
    """One result a slice, by name; a slice of which no row was scored has NaN and n = 0.

    Intervals are 95 %: Wilson's for shares of right answers, bootstrap over rows for losses. No slice is merged with
    others, however small: policies leave small ones alone by their n.

    Args:
        chance: nats a token of a model that knows nothing, the logarithm of the vocabulary's size; for `answer_loss`.

    Raises:
        UsageError: `answer_loss` without `chance`.
    """
    settings = settings or Evaluate()
    names = np.asarray(scores.slices, dtype=str)
    return [
        _result(str(name), scores.value[names == name], scores.weight[names == name], metric, settings, chance)
        for name in np.unique(names)
    ]


def success(value: float, metric: str, chance: float | None = None) -> float:
    """A metric as a share from 0 (chance) to 1 (perfect); NaN stays NaN.

    >>> success(2.0, "bits_per_byte"), success(9.5, "bits_per_byte"), success(0.4, "exact_match")
    (0.75, 0.0, 0.4)
    """
    if is_share(metric):
        return value
    if better(metric) == "higher":  # a user's own, whose ends are not known
        return value if math.isnan(value) else min(1.0, max(0.0, value))
    worst = BITS_OF_A_BYTE if metric == "bits_per_byte" else chance
    if worst is None or worst <= 0:
        raise UsageError("answer_loss: give `chance`, the logarithm of the vocabulary's size, to tell how good it is")
    return value if math.isnan(value) else max(0.0, 1 - value / worst)


def _result(
    name: str, value: FloatArray, weight: FloatArray, metric: str, settings: Evaluate, chance: float | None
) -> SliceResult:
    found = shown(metric, value, weight, settings.resamples)
    known = success(found["value"], metric, chance)
    return SliceResult(name, found["value"], found["low"], found["high"], int(found["n"]), known)
