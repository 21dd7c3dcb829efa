"""How often the first of two models wins, and how steady the judge was while saying so."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from dataflywheel.contracts import FloatArray, Judgement, Verdict
from dataflywheel.evolution.feedback.intervals import interval, wilson

PREFERENCE = {Verdict.FIRST: 1.0, Verdict.TIE: 0.5, Verdict.SECOND: 0.0, Verdict.INVALID: np.nan}


def preferences(verdicts: Sequence[Verdict]) -> FloatArray:
    """1 where the first answer won, 0.5 for a tie, 0 where it lost, NaN where the verdict is invalid (n,)."""
    return np.array([PREFERENCE[verdict] for verdict in verdicts], dtype=float)


def win_rate(
    verdicts: Sequence[Verdict], prompts: Sequence[Hashable], resamples: int = 2000, seed: int = 0
) -> dict[str, float]:
    """Share of the readable pairs that the first answer won, a tie as half a win, with a 95 % interval.

    The bootstrap draws prompts, not pairs: pairs of one prompt are no independent evidence. `n` counts prompts. Where
    all were won, or none, no resample differs, and the interval is Wilson's.
    """
    preference = preferences(verdicts)
    place = {name: i for i, name in enumerate(dict.fromkeys(prompts))}
    at = np.array([place[prompt] for prompt in prompts], dtype=int)
    readable = np.isfinite(preference)
    won = np.bincount(at[readable], preference[readable], minlength=len(place))
    pairs = np.bincount(at[readable], minlength=len(place)).astype(float)
    found = interval(np.where(pairs > 0, won, np.nan), pairs, resamples, seed)
    if found["low"] == found["high"] and found["value"] in (0.0, 1.0):
        found["low"], found["high"] = wilson(found["value"] * found["n"], int(found["n"]))
    return found


def steadiness(judgements: Sequence[Judgement]) -> dict[str, float]:
    """What the two orders of each pair tell of the judge.

    `consistency`: share of the pairs, readable in both orders, with the same verdict in both.
    `first_position`: share of the wins that went to the answer shown first; 0.5 is fair.
    `invalid`: share of all verdicts that could not be read. NaN where nothing was counted.
    """
    both = [j.orders for j in judgements if len(j.orders) == 2 and Verdict.INVALID not in j.orders]
    wins = [verdict == shown for j in judgements for verdict, shown in zip(j.orders, _FIRST, strict=False)]
    decided = [verdict in _FIRST for j in judgements for verdict in j.orders]
    said = [verdict for j in judgements for verdict in j.orders or (j.verdict,)]
    return {
        "consistency": _mean([a == b for a, b in both]),
        "first_position": sum(wins) / sum(decided) if any(decided) else float("nan"),
        "invalid": _mean([verdict == Verdict.INVALID for verdict in said]),
    }


_FIRST = (Verdict.FIRST, Verdict.SECOND)
"""The answer that is shown first in the first order, and in the second."""


def _mean(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else float("nan")
