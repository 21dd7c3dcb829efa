"""Win rate at equal length, with how hard each prompt is; the judge's love of length is learned from other models.

A single comparison cannot tell a love of length from quality that grows with length: controlled on its own data, a
model gains by cutting its answers short. So the length effect and the difficulty of the prompts come from earlier
comparisons of other models with the same baseline, where the judged model has no say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError

FEWEST = 2
PENALTY = 1.0
"""Ridge on all coefficients but the models' own level: a few prompts must not make a large effect."""
SUSPICIOUS = 0.1


@dataclass(frozen=True)
class Comparison:
    """One model against the baseline: by prompt, its preference (1 won, 0 lost, NaN invalid) and extra length.

    `longer` is its answer's length less the baseline's, in characters.
    """

    preference: dict[str, float]
    longer: dict[str, float]


@dataclass(frozen=True)
class LengthControlled:
    """`value` with its 95 % interval beside the raw rate over the same `n` prompts.

    `length_effect` is what the judge gives for a clearly longer answer, in log-odds; `warning` is set where control
    moved the rate by more than 10 points: then the length difference, not the judge, makes the number.
    """

    value: float
    low: float
    high: float
    raw: float
    n: int
    length_effect: float
    warning: str = ""


def length_controlled(
    judged: Comparison, earlier: Sequence[Comparison], resamples: int = 200, seed: int = 0
) -> LengthControlled:
    """Win rate of a model, were its answers as long as the baseline's.

    logit P(win | x) = level + effect tanh(longer_x / scale) + slope difficulty_x. The effect and the scale (standard
    deviation of all earlier length differences) are fitted on the earlier models, each with a level of its own;
    difficulty is the log-odds of the mean preference of the other models on the prompt. Of the judged model only
    level and slope are fitted. The rate is the mean probability with the length term at zero; the interval bootstraps
    prompts through all of it. Shares its idea, not its fit, with length-controlled AlpacaEval (Dubois et al. 2024,
    2404.04475).

    Raises:
        UsageError: fewer than two earlier models on at least ten shared prompts.
    """
    prompts = [
        x
        for x, y in sorted(judged.preference.items())
        if np.isfinite(y) and sum(np.isfinite(e.preference.get(x, np.nan)) for e in earlier) >= FEWEST
    ]
    if len(earlier) < FEWEST or len(prompts) < 10:
        raise UsageError(
            f"a length-controlled win rate needs judgements of at least {FEWEST} other models against the same "
            f"baseline on 10 prompts or more (there are {len(earlier)} other models, {len(prompts)} shared prompts): "
            "they tell what is due to length and how hard each prompt is"
        )
    wins = np.array([[c.preference.get(x, np.nan) for x in prompts] for c in (judged, *earlier)])
    longer = np.array([[c.longer.get(x, np.nan) for x in prompts] for c in (judged, *earlier)])
    value, effect = _rate(wins, longer)
    rng = np.random.default_rng(seed)
    drawn = [_rate(wins[:, at], longer[:, at])[0] for at in rng.integers(0, len(prompts), (resamples, len(prompts)))]
    low, high = np.percentile(drawn, [2.5, 97.5])
    raw = float(wins[0].mean())
    warning = ""
    if abs(value - raw) > SUSPICIOUS:
        warning = f"length control moves the win rate from {raw:.1%} to {value:.1%}: look at the answers themselves"
    return LengthControlled(value, float(low), float(high), raw, len(prompts), effect, warning)


def _rate(wins: FloatArray, longer: FloatArray) -> tuple[float, float]:
    """Controlled rate of the first row and the length effect; `wins` and `longer` are (models, prompts)."""
    seen = np.isfinite(wins) & np.isfinite(longer)
    scale = float(longer[1:][seen[1:]].std()) or 1.0
    length = np.tanh(np.where(seen, longer, 0.0) / scale)
    models = len(wins)
    rows: list[FloatArray] = []
    for m in range(1, models):
        level = np.zeros((wins.shape[1], models - 1))
        level[:, m - 1] = 1
        rows.append(np.column_stack([level, length[m], _difficulty(wins, seen, {0, m})]))
    used = seen[1:].reshape(-1)
    free = np.array([0.0] * (models - 1) + [PENALTY, PENALTY])
    shared = ridge_logistic(np.concatenate(rows)[used], wins[1:].reshape(-1)[used], free)
    effect = float(shared[-2])
    at = seen[0]
    own = np.column_stack([np.ones(at.sum()), _difficulty(wins, seen, {0})[at]])
    # The level is held lightly too, so that a model that wins everywhere has a finite one.
    level_slope = ridge_logistic(own, wins[0][at], np.array([0.01, PENALTY]), offset=effect * length[0][at])
    return float(_sigmoid(own @ level_slope).mean()), effect


def _difficulty(wins: FloatArray, seen: AnyArray, without: set[int]) -> FloatArray:
    """Centred log-odds of the mean preference on each prompt over the models but those left out, shrunk to even."""
    kept = [m for m in range(len(wins)) if m not in without]
    won = np.where(seen, wins, 0.0)[kept].sum(axis=0)
    count = seen[kept].sum(axis=0)
    odds: FloatArray = np.log((won + 0.5) / (count - won + 0.5))
    centred: FloatArray = odds - odds.mean()
    return centred


def ridge_logistic(
    x: FloatArray, y: FloatArray, penalty: FloatArray, offset: FloatArray | float = 0.0, rounds: int = 50
) -> FloatArray:
    """Coefficients (d,) of a logistic regression by Newton's method: labels in [0, 1], `penalty / 2 * b^2` each.

    `x` is (n, d), `y` (n,), `offset` is added to the log-odds.
    """
    beta = np.zeros(x.shape[1])
    for _ in range(rounds):
        p = _sigmoid(x @ beta + offset)
        gradient = x.T @ (p - y) + penalty * beta
        curvature = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        beta = beta - step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-8:
            break
    return beta


def _sigmoid(z: FloatArray) -> FloatArray:
    half: FloatArray = 0.5 * (1 + np.tanh(0.5 * z))
    return half
