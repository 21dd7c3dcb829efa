"""Sharing a budget among groups: whole numbers, exact sums, nobody above what it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dataflywheel.contracts import AnyArray


def share_out(budget: int, capacity: Sequence[int], weight: Sequence[float]) -> list[int]:
    """Split `budget` in proportion to `weight`; what a full group cannot take goes to the others in the same
    proportion.

    Group g gets `min(capacity, level * weight)` for the one level that spends the budget, rounded so that the sum is
    exact: largest remainders are rounded up, ties to the earlier group. Equal weights give the max-min fair split.

    Returns:
        One whole number a group; their sum is `budget`, or all capacity of groups of positive weight where that is
        less.

    >>> share_out(10, [2, 20, 20], [1, 1, 1]), share_out(10, [5, 30, 65], [5, 30, 65])
    ([2, 4, 4], [1, 3, 6])
    """
    room = np.where(np.asarray(weight) > 0, np.asarray(capacity, dtype=np.int64), 0)
    budget = min(budget, int(room.sum()))
    pull = np.where(room > 0, np.asarray(weight, dtype=np.float64), 1.0)
    ideal = np.minimum(room, _level(budget, room, pull) * pull)
    # Rounding noise of the level must not turn a whole number into the one below it.
    result = np.floor(ideal + 1e-9).astype(np.int64)
    for group in np.lexsort((np.arange(len(room)), -(ideal - result), result >= room))[: budget - int(result.sum())]:
        result[group] += 1
    return [int(x) for x in result]


def _level(budget: int, room: AnyArray, weight: AnyArray) -> float:
    """The level at which `sum(min(room, level * weight))` reaches the budget."""
    active = np.flatnonzero(room > 0)
    left, mass = float(budget), float(weight[active].sum())
    for group in active[np.argsort(room[active] / weight[active], kind="stable")]:
        if left * weight[group] <= room[group] * mass:
            return left / mass
        left, mass = left - room[group], mass - weight[group]
    return np.inf if budget else 0.0


def group_weights(quota: str | Mapping[str, float], names: Sequence[str], sizes: Sequence[int]) -> list[float]:
    """Weights of the named groups: their sizes (`proportional`), 1 each (`equal`), or the given shares (0 where
    not named)."""
    if isinstance(quota, Mapping):
        return [float(quota.get(name, 0.0)) for name in names]
    return [1.0] * len(names) if quota == "equal" else [float(size) for size in sizes]
