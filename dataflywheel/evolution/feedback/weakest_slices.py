"""Budget where the model fails and can still learn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from dataflywheel.contracts import Allocation, Card, Policy, RoundResult, SliceResult
from dataflywheel.evolution.feedback.proportional import latest, weights_of
from dataflywheel.selection.quota import share_out

EDGE = 1e-4
"""Success this close to 0 or 1 counts as such."""
HOPE = 0.25
"""Success that is assumed of a slice on trial: near the 1/3 where the score is largest."""


class WeakestSlices(Policy):
    """Budget by importance x error x learnability, with s the slice's success: w (1 - s) s (1 - s).

    s (1 - s) is largest at s = 1/2 and 0 for what the model masters and for what it cannot do at all, so that no slice
    without hope takes the budget: it gets its floor. A skill that no row taught yet is at 0 too, so a slice counts as
    hopeless only after `trials` evaluations at 0. A slice with fewer than `minimum_n` evaluated rows moves nothing: it
    gets its proportional share. Before the first evaluation all shares are proportional.
    """

    card: ClassVar[Card] = Card(
        title="Budget by error and learnability of each slice",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="feedback",
        summary="Spends the next budget on the skills where the model fails and can still learn.",
        needs=("target",),
        cost="¢",
        checked="laws on random evaluations: exact sums, floors, caps, small slices unmoved; shares by hand; a planted "
        "weak slice and an unsolvable one",
        pays="A target with 20 evaluated rows or more in each slice, and a writer or a pool that has rows for what the "
        "model lacks.",
        fails="Where slices differ little or the pool has no more rows for the weak ones, shares of the target do as "
        "well: take `proportional`.",
        evidence="Here (`benchmarks/wheel.md`), sealed bits per byte: better than shares of the target by +0.129 "
        "[+0.003, +0.255] where the pool lacked a skill; -0.011 [-0.036, +0.015] on p3, the same model on python_docs.",
    )

    importance: Mapping[str, float] = {}
    """How much more a slice counts than its share of the target says; 1 where not named."""
    minimum_n: int = Field(default=20, ge=1)
    """Evaluated rows from which on a slice's result is acted on."""
    floor: float = Field(default=0.25, ge=0, le=1)
    """Part of its proportional share that every slice keeps."""
    cap: float = Field(default=4.0, ge=1)
    """Most that a slice gets, as a multiple of its proportional share; lifted where nothing else can use the budget."""
    trials: int = Field(default=2, ge=0)
    """Evaluations in a row without any success after which a slice still gets budget to be taught."""

    @field_validator("importance")
    @classmethod
    def _positive(cls, value: Mapping[str, float]) -> Mapping[str, float]:
        wrong = [name for name, weight in value.items() if not weight > 0]
        if wrong:
            raise ValueError(f"importance must be above 0, not so for {', '.join(wrong)}")
        return value

    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        ordered, slices = sorted(names), latest(rounds)
        weights = weights_of(ordered, slices, self.importance)
        even = share_out(budget, [budget] * len(ordered), weights)
        total = sum(weights)
        score = [
            self._score(slices.get(name), weight / total, self._on_trial(rounds, name))
            for name, weight in zip(ordered, weights, strict=True)
        ]
        if all(math.isnan(s) or s == 0 for s in score):
            reasons = {name: _why(slices.get(name), s, self.minimum_n) for name, s in zip(ordered, score, strict=True)}
            return _in_order(names, ordered, even, {n: f"{why}; proportional share" for n, why in reasons.items()})
        amounts = self._by_score(budget, even, [weight / total for weight in weights], score)
        return _in_order(names, ordered, amounts, self._reasons(ordered, slices, score))

    def _on_trial(self, rounds: Sequence[RoundResult], name: str) -> bool:
        """Whether the slice has been at 0 for so few evaluations that it may only lack rows."""
        seen = [latest(rounds[: i + 1]).get(name) for i in range(len(rounds))]
        at_zero = list(takewhile(lambda found: found is not None and found.success <= EDGE, reversed(seen)))
        return 0 < len(at_zero) <= self.trials

    def _score(self, found: SliceResult | None, importance: float, on_trial: bool) -> float:
        """NaN for a slice that is not acted on."""
        if found is None or found.n < self.minimum_n or not math.isfinite(found.success):
            return math.nan
        s = HOPE if on_trial else found.success
        return importance * (1 - s) * s * (1 - s) if EDGE < s < 1 - EDGE else 0.0

    def _by_score(self, budget: int, even: Sequence[int], share: Sequence[float], score: Sequence[float]) -> list[int]:
        """Small slices get their even share, all others their floor; what is left goes by score, up to the cap."""
        still = [math.isnan(s) for s in score]
        base = [
            amount if fixed else math.floor(self.floor * budget * part + 1e-9)
            for amount, part, fixed in zip(even, share, still, strict=True)
        ]
        left = budget - sum(base)
        room = [
            max(0, math.ceil(self.cap * budget * part - 1e-9) - b) if s > 0 else 0
            for part, b, s in zip(share, base, score, strict=True)
        ]
        if sum(room) < left:
            room = [left if s > 0 else 0 for s in score]
        more = share_out(left, room, [0.0 if math.isnan(s) else s for s in score])
        return [b + m for b, m in zip(base, more, strict=True)]

    def _reasons(
        self, names: Sequence[str], slices: Mapping[str, SliceResult], score: Sequence[float]
    ) -> dict[str, str]:
        whole = sum(s for s in score if s > 0)
        reasons = {}
        for name, s in zip(names, score, strict=True):
            why = _why(slices.get(name), s, self.minimum_n)
            what = "proportional share" if math.isnan(s) else f"{s / whole:.0%} of the score" if s > 0 else "its floor"
            reasons[name] = f"{why}; {what}"
        return reasons


def _why(found: SliceResult | None, score: float, minimum_n: int) -> str:
    if found is None or found.n == 0:
        return "not evaluated"
    if math.isnan(score):
        return f"{found.n} rows, fewer than {minimum_n}" if found.n < minimum_n else "no result"
    state = "nothing is learned yet" if found.success <= EDGE else "mastered" if found.success >= 1 - EDGE else ""
    return f"success {found.success:.2f}" + (f", {state}" if state else "")


def _in_order(
    names: Sequence[str], ordered: Sequence[str], amounts: Sequence[int], reasons: Mapping[str, str]
) -> Allocation:
    by_name = dict(zip(ordered, amounts, strict=True))
    return Allocation({name: by_name[name] for name in names}, {name: reasons[name] for name in names})
