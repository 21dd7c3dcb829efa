"""A policy at work: what it divides is checked before a round is spent by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from dataflywheel.contracts import Allocation, FlywheelError, Policy, RoundResult
from dataflywheel.plugins.place import named


def allocated(
    policy: Policy, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
) -> Allocation:
    """The budget as the policy divides it, an amount and a reason for every name.

    Raises:
        FlywheelError: it gave anything but an `Allocation`, other names, or amounts that are no whole numbers from 0
            on or do not add up to the budget; names the line of a user's own.
    """
    found: Any = policy.allocate(rounds, names, budget, rng)
    who = named(policy, "allocate")
    if not isinstance(found, Allocation) or not isinstance(found.amounts, Mapping):
        raise FlywheelError(f"{who} gave {type(found).__name__}; wanted is `Allocation(amounts, reasons)`, by name")
    if set(found.amounts) != set(names):
        wrong = sorted(set(map(str, found.amounts)) ^ set(names))
        raise FlywheelError(f"{who} divides among other names than it was given: {', '.join(wrong[:3])}")
    for name, amount in found.amounts.items():
        if not isinstance(amount, Integral) or amount < 0:
            raise FlywheelError(f"{who} gives {name} {amount!r} rows; wanted is a whole number from 0 on")
    if names and (total := sum(found.amounts.values())) != budget:
        raise FlywheelError(f"{who} divides {total:,} rows where there are {budget:,}; amounts must add up to them")
    reasons = found.reasons if isinstance(found.reasons, Mapping) else {}
    return Allocation(
        {name: int(found.amounts[name]) for name in names}, {name: str(reasons.get(name, "")) for name in names}
    )
