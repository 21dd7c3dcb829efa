"""Laws of every policy: whole amounts that add up, nothing negative, the same whatever the order of names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Policy, RoundResult, SliceResult
from dataflywheel.evolution.feedback.next_writer import NextWriter
from dataflywheel.evolution.feedback.proportional import Proportional
from dataflywheel.evolution.feedback.thompson import Thompson
from dataflywheel.evolution.feedback.uniform import Uniform
from dataflywheel.evolution.feedback.weakest_slices import WeakestSlices

POLICIES = (NextWriter(), Uniform(), Proportional(), WeakestSlices(), Thompson())
NAMES = ["a", "b", "c", "d", "e", "f"]
SLICES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 200), st.one_of(st.just(float("nan")), st.floats(0, 1))),
    max_size=6,
    unique_by=lambda one: one[0],
)
ROUNDS = st.lists(
    st.builds(
        lambda slices, spent, gain: RoundResult([SliceResult(n, s, s, s, k, s) for n, k, s in slices], spent, gain),
        SLICES,
        st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e4)),
        st.floats(-10, 10),
    ),
    max_size=4,
)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.name)
@given(rounds=ROUNDS, names=st.permutations(NAMES), k=st.integers(1, 6), budget=st.integers(0, 5000))
def test_amounts_add_up_exactly_in_any_order(
    policy: Policy, rounds: list[RoundResult], names: list[str], k: int, budget: int
) -> None:
    found = policy.allocate(rounds, names[:k], budget, np.random.default_rng(3))
    assert list(found.amounts) == names[:k] == list(found.reasons)
    assert sum(found.amounts.values()) == budget
    assert all(isinstance(x, int) and x >= 0 for x in found.amounts.values())
    again = policy.allocate(rounds, sorted(names[:k]), budget, np.random.default_rng(3))
    assert dict(again.amounts) == dict(found.amounts)
