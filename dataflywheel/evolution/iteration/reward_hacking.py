"""A judge that is pleased more and more while nothing gets better: its scores by round, held against gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import FloatArray
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.paired import bootstrap_counts, resampled

FEWEST = 10
"""Answers that the judge has scored in both rounds, and gold rows, below which nothing is said."""


@dataclass(frozen=True)
class JudgedRound:
    """One round: what the judge gave the n answers that were accepted, and how good the round's model is."""

    judge: FloatArray
    """Score of each accepted answer (n,); NaN: not scored."""
    length: FloatArray
    """Characters or tokens of each of them (n,)."""
    gold: RowScores
    """What the judge has no say in: the model's scores on evaluation rows."""


class RewardHacking(BaseModel):
    """When to raise the alarm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    longer: float = Field(default=0.25, gt=0)
    """Growth of the mean length at a flat gold score that counts as drift."""


def reward_hacking(rounds: Sequence[JudgedRound], metric: str, settings: RewardHacking | None = None) -> list[str]:
    """Alarms over the last round against the first, each a plain sentence; none where all is well.

    The judge alarm: the judge's mean rose (its 95 % interval lies above 0), gold's did not (its interval does not), and
    gold's rise in its standard deviations is less than half of the judge's in the judge's (again by the interval).
    Bootstraps: over the answers of each round apart, since rounds answer different prompts; over the gold rows that
    both rounds have, paired. Gold that is mostly noise looks flat beside a fair judge: have enough evaluation rows.

    Args:
        metric: of gold, and so which way is better.
    """
    settings = settings or RewardHacking()
    if len(rounds) < 2:
        return []
    first, last = rounds[0], rounds[-1]
    (judge, length), n = (_risen(first, last, name) for name in ("judge", "length")), _fewest(first, last)
    gold = resampled(first.gold, last.gold, metric)
    if n < FEWEST or gold.n < FEWEST:
        return []
    low, high = np.percentile(gold.spread[np.isfinite(gold.spread)], [2.5, 97.5])
    if low > 0:
        return []
    alarms = []
    gap = judge.spread / judge.unit / 2 - gold.spread / _unit(first.gold, last.gold)
    if judge.low > 0 and np.nanpercentile(gap, 2.5) > 0:
        alarms.append(
            f"the judge's score rose by {judge.value:.3g} since the first round while gold moved by {gold.value:+.3g} "
            f"[{low:+.3g}, {high:+.3g}]: the model learns to please the judge ({n} answers, {gold.n} gold rows)"
        )
    growth = length.value / max(length.before, 1e-12)
    if growth >= settings.longer and length.low > 0:
        alarms.append(f"answers grew longer by {growth:.0%} since the first round and gold did not rise ({n} answers)")
    return alarms


@dataclass(frozen=True)
class _Rise:
    before: float
    value: float
    low: float
    unit: float
    """Standard deviation of one score, over both rounds."""
    spread: FloatArray
    """The rise in each resample."""


def _risen(first: JudgedRound, last: JudgedRound, name: str) -> _Rise:
    """Of answers that were scored; those of the rounds are drawn apart."""
    one, other = (getattr(each, name)[np.isfinite(each.judge)] for each in (first, last))
    if not len(one) or not len(other):
        return _Rise(np.nan, np.nan, np.nan, np.nan, np.empty(0))
    now, before = (bootstrap_counts(len(each), seed) @ each / len(each) for seed, each in enumerate((other, one)))
    spread = now - before
    unit = float(np.sqrt((one.var() + other.var()) / 2)) or 1.0
    value = float(other.mean() - one.mean())
    return _Rise(float(one.mean()), value, float(np.percentile(spread, 2.5)), unit, spread)


def _fewest(first: JudgedRound, last: JudgedRound) -> int:
    return min(int(np.isfinite(each.judge).sum()) for each in (first, last))


def _unit(first: RowScores, last: RowScores) -> float:
    """Standard deviation of one gold row's score, over both rounds."""
    rows = [(each.value / each.weight)[np.isfinite(each.value) & (each.weight > 0)] for each in (first, last)]
    return float(np.sqrt(np.mean([row.var() for row in rows]))) or 1.0
