"""Budget by how much of the target a slice is, whatever the model can do: what feedback is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from dataflywheel.contracts import Allocation, Card, Policy, RoundResult, SliceResult
from dataflywheel.selection.quota import share_out


class Proportional(Policy):
    """Each slice by its share of the steering rows times its importance; equal shares before the first evaluation."""

    card: ClassVar[Card] = Card(
        title="Proportional shares",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="feedback",
        summary="Budget in proportion to each slice's share of the target: the baseline of feedback by slices.",
        checked="shares by hand; exact sums on random budgets",
        pays="Slices too small or too alike to steer by, and as the control of every wheel with `weakest_slices`.",
        fails="It gives what is mastered as much as what is lacking: where a skill is missing from the pool take "
        "`weakest_slices`.",
        evidence="Here (`benchmarks/wheel.md`), sealed bits per byte: 2.956 on python_docs, as `weakest_slices`, and "
        "2.860 on p3 beside its 2.871, no difference shown; with an absent skill 0.220 beside 0.091, which is worse.",
    )

    importance: Mapping[str, float] = {}
    """How much more a slice counts than its share of the target says; 1 where not named."""

    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        ordered = sorted(names)
        weights = weights_of(ordered, latest(rounds), self.importance)
        amounts = dict(zip(ordered, share_out(budget, [budget] * len(ordered), weights), strict=True))
        return Allocation({name: amounts[name] for name in names}, dict.fromkeys(names, "by its share of the target"))


def latest(rounds: Sequence[RoundResult]) -> dict[str, SliceResult]:
    """The slices of the last round by name."""
    return {one.name: one for one in rounds[-1].slices} if rounds else {}


def weights_of(names: Sequence[str], slices: Mapping[str, SliceResult], importance: Mapping[str, float]) -> list[float]:
    """Rows of each slice times its importance; a slice that was not evaluated counts as an average one."""
    sizes = [slices[name].n for name in names if name in slices and slices[name].n > 0]
    average = sum(sizes) / len(sizes) if sizes else 1.0
    return [
        (slices[name].n if name in slices and slices[name].n > 0 else average) * importance.get(name, 1.0)
        for name in names
    ]
