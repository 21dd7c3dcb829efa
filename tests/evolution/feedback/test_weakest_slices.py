"""The laws of the allocation by error and learnability, and shares by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataflywheel.contracts import RoundResult, SliceResult
from dataflywheel.evolution.feedback.weakest_slices import EDGE, WeakestSlices
from dataflywheel.selection.quota import share_out

RNG = np.random.default_rng(0)


def evaluated(**slices: tuple[int, float]) -> list[RoundResult]:
    return [RoundResult([SliceResult(name, s, s, s, n, s) for name, (n, s) in slices.items()])]


def amounts(policy: WeakestSlices, budget: int, **slices: tuple[int, float]) -> dict[str, int]:
    """Where the same was found three times: nothing is on trial any more."""
    return dict(policy.allocate(evaluated(**slices) * 3, list(slices), budget, RNG).amounts)


def test_shares_by_hand() -> None:
    # Equal sizes: the score (1 - s)^2 s is 0.128 at 0.2, 0.125 at 0.5 and 0.009 at 0.9.
    found = amounts(WeakestSlices(floor=0.0, cap=10), 262, a=(50, 0.2), b=(50, 0.5), c=(50, 0.9))
    assert found == {"a": 128, "b": 125, "c": 9}


def test_the_floor_is_kept_and_the_rest_goes_by_score() -> None:
    # 300 rows, even shares of 100, floors of 25; 225 left in the ratio 128 : 125 : 9.
    found = amounts(WeakestSlices(cap=10), 300, a=(50, 0.2), b=(50, 0.5), c=(50, 0.9))
    more = share_out(225, [225] * 3, [128, 125, 9])
    assert list(found.values()) == [25 + m for m in more]


@pytest.mark.parametrize("hopeless", [0.0, 1.0])
def test_an_unsolvable_or_mastered_slice_gets_its_floor(hopeless: float) -> None:
    found = amounts(WeakestSlices(), 1000, weak=(50, 0.3), other=(50, 0.5), hopeless=(50, hopeless), fair=(50, 0.7))
    assert found["hopeless"] == math.floor(0.25 * 250)
    assert found["weak"] > found["fair"] > found["hopeless"]


def test_the_cap_holds_until_nothing_else_can_use_the_budget() -> None:
    many = {f"s{i}": (50, 0.95) for i in range(7)}
    assert amounts(WeakestSlices(cap=2.0), 800, weak=(50, 0.3), **many)["weak"] == 200
    dead = {f"s{i}": (50, 0.0) for i in range(7)}
    assert amounts(WeakestSlices(cap=2.0), 800, weak=(50, 0.3), **dead)["weak"] == 800 - 7 * 25


def test_a_skill_that_no_row_taught_yet_is_taught_before_it_counts_as_hopeless() -> None:
    policy, slices = WeakestSlices(floor=0.1, cap=10), {"a": (50, 0.25), "absent": (50, 0.0), "done": (50, 1.0)}

    def absent(rounds: list[RoundResult]) -> int:
        return policy.allocate(rounds, list(slices), 300, RNG).amounts["absent"]

    once, taught = evaluated(**slices), evaluated(**slices | {"absent": (50, 0.1)})
    assert absent(once) == absent(once * 2) == 145  # as one at 1/4: half of what is left beside three floors of 10
    assert absent(once * 3) == 10
    assert absent([*once * 2, *taught, *once]) == 145  # it was learnt for a while, so it can be
    assert WeakestSlices(floor=0.1, cap=10, trials=0).allocate(once, list(slices), 300, RNG).amounts["absent"] == 10


def test_importance_moves_the_budget() -> None:
    equal = amounts(WeakestSlices(), 100, a=(50, 0.4), b=(50, 0.4))
    assert equal == {"a": 50, "b": 50}
    assert amounts(WeakestSlices(importance={"b": 3.0}), 100, a=(50, 0.4), b=(50, 0.4)) == {"a": 25, "b": 75}
    with pytest.raises(ValidationError, match="above 0"):
        WeakestSlices(importance={"a": 0.0})


def test_nothing_known_or_nothing_to_learn_is_proportional_and_says_so() -> None:
    first = WeakestSlices().allocate([], ["a", "b"], 10, RNG)
    assert first.amounts == {"a": 5, "b": 5}
    assert first.reasons["a"] == "not evaluated; proportional share"
    done = WeakestSlices().allocate(evaluated(a=(60, 1.0), b=(20, 0.0)) * 3, ["a", "b"], 100, RNG)
    assert done.amounts == {"a": 75, "b": 25}
    assert "mastered" in done.reasons["a"]
    assert "nothing is learned yet" in done.reasons["b"]


def test_reasons_name_the_cause() -> None:
    found = WeakestSlices().allocate(
        evaluated(a=(50, 0.4), few=(3, 0.4), none=(50, math.nan)), ["a", "few", "none"], 90, RNG
    )
    assert found.reasons == {
        "a": "success 0.40; 100% of the score",
        "few": "3 rows, fewer than 20; proportional share",
        "none": "no result; proportional share",
    }


SLICE = st.tuples(st.integers(1, 200), st.floats(0, 1))


@given(st.lists(SLICE, min_size=1, max_size=12), st.integers(0, 3000), st.floats(0, 1), st.floats(1, 5))
def test_floors_and_small_slices_hold_on_any_evaluation(
    slices: list[tuple[int, float]], budget: int, floor: float, cap: float
) -> None:
    named = {f"s{i:02d}": one for i, one in enumerate(slices)}
    found = amounts(WeakestSlices(floor=floor, cap=cap), budget, **named)
    sizes = [n for n, _ in slices]
    even = dict(zip(named, share_out(budget, [budget] * len(named), [float(n) for n in sizes]), strict=True))
    learnable = [name for name, (n, s) in named.items() if n >= 20 and EDGE < s < 1 - EDGE]
    for name, (n, s) in named.items():
        if n < 20 or not learnable:
            assert found[name] == even[name]
        elif not EDGE < s < 1 - EDGE:
            assert found[name] <= floor * budget * n / sum(sizes) + 1e-6
        else:
            assert found[name] >= math.floor(floor * budget * n / sum(sizes))


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_small_slice_moves_nothing(s: float, other: float) -> None:
    one = amounts(WeakestSlices(), 500, a=(50, 0.3), b=(50, 0.6), small=(19, s))
    two = amounts(WeakestSlices(), 500, a=(50, 0.3), b=(50, 0.6), small=(19, other))
    assert one == two
