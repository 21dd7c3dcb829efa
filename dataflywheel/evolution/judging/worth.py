"""A judge beside gold labels: agreement by policy, and whether it beats the longer answer and the coin."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.feedback.intervals import interval
from dataflywheel.evolution.judging.agreement import POLICIES, Interval, Policy, agreement
from dataflywheel.evolution.judging.baselines import baselines, longer_wins
from dataflywheel.evolution.judging.panel_worth import panel_worth


def worth(
    said: Sequence[Verdict],
    gold: Sequence[Verdict],
    cases: Sequence[Case],
    prompts: Sequence[Hashable],
    members: Sequence[Sequence[Verdict]] = (),
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """What a judge's verdicts on pairs are worth against labels; pairs whose gold is invalid are left out.

    `policies`: `agreement` for each way to treat unreadable verdicts (one, where all were readable).
    `baselines`: the same for the longer answer, the coin and the commonest label. `lift`: the judge's agreement less
    that of the longer answer and of the coin, unreadable verdicts wrong, with intervals over prompts. `beats` says
    whether each lift's interval lies above zero. `panel` is `panel_worth` where the judge has `members`, else None.
    """
    at = [i for i, label in enumerate(gold) if label != Verdict.INVALID]
    said, gold, cases, prompts = ([column[i] for i in at] for column in (said, gold, cases, prompts))  # type: ignore[assignment]
    members = [[member[i] for i in at] for member in members]
    panel = panel_worth(members, gold, prompts, said, resamples, seed) if members and len(set(prompts)) > 1 else None
    policies: list[Policy] = list(POLICIES) if Verdict.INVALID in said else ["wrong"]
    right = np.array([a == b for a, b in zip(said, gold, strict=True)], dtype=float)
    longer = np.array([a == b for a, b in zip(longer_wins(cases), gold, strict=True)], dtype=float)
    tossed = np.array([0.0 if label == Verdict.TIE else 0.5 for label in gold])
    lift = {
        "longer": _clustered(right - longer, prompts, resamples, seed),
        "coin": _clustered(right - tossed, prompts, resamples, seed),
    }
    return {
        "pairs": len(at),
        "policies": {policy: agreement(said, gold, prompts, policy, resamples, seed) for policy in policies},
        "baselines": baselines(cases, gold, prompts, resamples),
        "panel": None if panel is None else asdict(panel),
        "lift": lift,
        "beats": {name: found["low"] > 0 for name, found in lift.items()},
    }


def _clustered(value: Any, prompts: Sequence[Hashable], resamples: int, seed: int) -> Interval:
    """Mean over pairs with an interval over prompts."""
    place = {name: i for i, name in enumerate(dict.fromkeys(prompts))}
    at = np.array([place[prompt] for prompt in prompts], dtype=int)
    return interval(np.bincount(at, value).astype(float), np.bincount(at).astype(float), resamples, seed)
