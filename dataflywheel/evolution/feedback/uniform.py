"""The same budget for every slice or arm, whatever the evaluation says: what feedback is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from dataflywheel.contracts import Allocation, Card, Policy, RoundResult
from dataflywheel.selection.quota import share_out


class Uniform(Policy):
    """Equal amounts; what does not divide evenly goes to the first names in alphabetical order."""

    card: ClassVar[Card] = Card(
        title="Equal shares",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="feedback",
        summary="The same budget for every slice or arm: the baseline of every policy.",
        checked="amounts differ by one at most and add up exactly, on random budgets",
        pays="The first rounds with sources that nobody knows, and as the control of `thompson`.",
        fails="A useless or harmful source keeps its share for ever: after some rounds take `thompson`, and for slices "
        "`weakest_slices`.",
        evidence="Here (`benchmarks/results.md`), four simulated sources: regret 3.00 and final loss 2.16, beside 1.44 "
        "and 0.95 of `thompson` at noise 0.1.",
    )

    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        ordered = sorted(names)
        amounts = dict(zip(ordered, share_out(budget, [budget] * len(ordered), [1.0] * len(ordered)), strict=True))
        return Allocation({name: amounts[name] for name in names}, dict.fromkeys(names, "equal shares"))
