"""What several judges are worth together: votes that count, and whether the panel beats its best member."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError, Verdict
from dataflywheel.evolution.feedback.intervals import interval
from dataflywheel.evolution.judging.agreement import LABELS
from dataflywheel.evolution.judging.dawid_skene import dawid_skene

VOTES = LABELS[:3]
"""The labels that a vote can have; INVALID is no vote."""


@dataclass(frozen=True)
class PanelWorth:
    """A panel against its best member, both on gold that chose neither.

    `gain` is the panel's accuracy less the best member's (`value`, `low`, `high`, over prompts); `beats` says whether
    the interval lies above zero. `effective_votes` is how many independent judges the members amount to.
    """

    panel: float
    members: tuple[float, ...]
    best: int
    gain: dict[str, float]
    beats: bool
    error_correlation: float
    effective_votes: float


def effective_votes(judges: int, correlation: float) -> float:
    """n / (1 + (n - 1) rho): how many independent judges n judges are worth whose errors correlate by rho.

    >>> round(effective_votes(9, 0.6), 2), effective_votes(9, 0.0), effective_votes(9, 1.0)
    (1.55, 9.0, 1.0)
    """
    return judges / (1 + (judges - 1) * max(correlation, 0.0)) if np.isfinite(correlation) else float("nan")


def error_correlation(wrong: FloatArray) -> float:
    """Mean correlation of all pairs of judges over items; `wrong` (items, judges) is 1, 0, or NaN without a verdict.

    A pair where one judge is always right or always wrong has no correlation and is left out; NaN if all are.
    """
    found = []
    for a in range(wrong.shape[1]):
        for b in range(a):
            both = wrong[np.isfinite(wrong[:, [a, b]]).all(axis=1)][:, [a, b]]
            if len(both) > 1 and (both.std(axis=0) > 0).all():
                a_off, b_off = (both - both.mean(axis=0)).T
                found.append(float((a_off * b_off).mean() / (a_off.std() * b_off.std())))
    return float(np.mean(found)) if found else float("nan")


def as_votes(verdicts: Sequence[Sequence[Verdict]]) -> AnyArray:
    """Verdicts of J judges over n items as int (n, J): places in `VOTES`, -1 for an invalid verdict."""
    return np.array([[VOTES.index(v) if v in VOTES else -1 for v in row] for row in verdicts], dtype=int).T


def combine(votes: AnyArray) -> list[Verdict]:
    """One verdict an item by Dawid-Skene over the members' votes (n, J); invalid where nobody voted."""
    if (votes < 0).all():
        return [Verdict.INVALID] * len(votes)
    label = dawid_skene(votes, len(VOTES)).label
    return [VOTES[k] if (row >= 0).any() else Verdict.INVALID for k, row in zip(label, votes, strict=True)]


def panel_worth(
    members: Sequence[Sequence[Verdict]],
    gold: Sequence[Verdict],
    prompts: Sequence[Hashable],
    together: Sequence[Verdict] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> PanelWorth:
    """Whether a panel beats its best member on gold labels that neither has seen.

    `together` is what the panel said; by default Dawid-Skene over the members' votes.

    The best member is chosen on a random half of the prompts; both are scored on the other half, and the same with the
    halves exchanged. An invalid verdict is wrong; a pair without a gold label is left out.

    Raises:
        UsageError: fewer than two members or two prompts, or verdicts of different length.
    """
    labelled = [i for i, label in enumerate(gold) if label != Verdict.INVALID]
    names = list(dict.fromkeys(prompts[i] for i in labelled))
    if len(members) < 2 or len(names) < 2 or any(len(m) != len(gold) for m in members) or len(prompts) != len(gold):
        raise UsageError("a panel needs two members or more, two prompts or more, and a verdict of each on every pair")
    gold, prompts = [gold[i] for i in labelled], [prompts[i] for i in labelled]
    members = [[member[i] for i in labelled] for member in members]
    shuffled = np.random.default_rng(seed).permutation(len(names))
    half = {names[i]: place % 2 for place, i in enumerate(shuffled)}
    side = np.array([half[prompt] for prompt in prompts])
    votes = as_votes(members)
    said = combine(votes) if together is None else [together[i] for i in labelled]
    right = np.array([[v == g for v, g in zip(member, gold, strict=True)] for member in members], dtype=float)
    panel = np.array([v == g for v, g in zip(said, gold, strict=True)], dtype=float)
    best = np.array([_best(right[:, side != s]) for s in (0, 1)])
    gained = panel - right[best[side], np.arange(len(gold))]
    place = {name: i for i, name in enumerate(names)}
    at = np.array([place[prompt] for prompt in prompts])
    gain = interval(np.bincount(at, gained).astype(float), np.bincount(at).astype(float), resamples, seed)
    correlation = error_correlation(np.where(votes < 0, np.nan, 1 - right.T))
    return PanelWorth(
        panel=float(panel.mean()),
        members=tuple(float(r) for r in right.mean(axis=1)),
        best=_best(right),
        gain=gain,
        beats=gain["low"] > 0,
        error_correlation=correlation,
        effective_votes=effective_votes(len(members), correlation),
    )


def _best(right: FloatArray) -> int:
    return int(right.mean(axis=1).argmax())
