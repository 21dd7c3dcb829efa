"""Quotas: exact sums and fair splits, against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.selection.quota import group_weights, share_out


def leximin_counts(budget: int, capacity: Sequence[int]) -> list[int]:
    """By brute force the split whose smallest share is largest, then the second smallest, and so on."""
    splits = (s for s in itertools.product(*(range(c + 1) for c in capacity)) if sum(s) == min(budget, sum(capacity)))
    return list(max(splits, key=lambda split: sorted(split)))


GROUPS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=4)


@given(GROUPS, st.integers(0, 25))
def test_equal_weights_are_max_min_fair(groups: list[tuple[int, int]], budget: int) -> None:
    capacity = [c for c, _ in groups]
    got = share_out(budget, capacity, [1.0] * len(groups))
    assert sorted(got) == sorted(leximin_counts(budget, capacity))


@given(GROUPS, st.integers(0, 25))
def test_sums_are_exact_and_nobody_exceeds_its_capacity(groups: list[tuple[int, int]], budget: int) -> None:
    capacity, weight = [c for c, _ in groups], [float(w) for _, w in groups]
    got = share_out(budget, capacity, weight)
    assert sum(got) == min(budget, sum(capacity))
    assert all(0 <= x <= c for x, c in zip(got, capacity, strict=True))
    # A group below its capacity stands, up to rounding, at the common level or above every other.
    for x, c, w in zip(got, capacity, weight, strict=True):
        for y, v in zip(got, weight, strict=True):
            assert x == c or (x + 1) / w >= (y - 1) / v - 1e-9


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.data())
def test_proportional_is_within_one_of_the_share(sizes: list[int], data: st.DataObject) -> None:
    budget = data.draw(st.integers(0, sum(sizes)))
    got = share_out(budget, sizes, [float(s) for s in sizes])
    assert sum(got) == budget
    assert all(abs(x - budget * s / max(sum(sizes), 1)) < 1 for x, s in zip(got, sizes, strict=True))


def test_by_hand() -> None:
    assert share_out(10, [2, 20, 20], [1, 1, 1]) == [2, 4, 4]
    assert share_out(10, [50, 30, 20], [50, 30, 20]) == [5, 3, 2]
    assert share_out(7, [5, 5], [0, 1]) == [0, 5]
    assert share_out(3, [9, 9, 9, 9], [1, 1, 1, 1]) == [1, 1, 1, 0]
    assert share_out(5, [], []) == []


def test_group_weights() -> None:
    assert group_weights("equal", ["a", "b"], [3, 9]) == [1, 1]
    assert group_weights("proportional", ["a", "b"], [3, 9]) == [3, 9]
    assert group_weights({"b": 2}, ["a", "b"], [3, 9]) == [0, 2]


@pytest.mark.parametrize("budget", [0, 1, 999, 1000])
def test_large_groups(budget: int) -> None:
    got = share_out(budget, [400, 350, 250], [0.1, 0.1, 0.8])
    assert sum(got) == budget
