"""Real rows at the heart of every mix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.iteration.mixing import Anchor, mix, room


def test_weights_halve_with_each_making_and_deep_rows_are_left_out() -> None:
    found = mix({"a": 0, "b": 0, "c": 1, "d": 2, "e": 3})
    assert found.ids == ("a", "b", "c", "d")
    assert found.weight == (1.0, 1.0, 0.5, 0.25)
    assert found.real == 0.5
    assert found.dropped == {"e": "made 3 times over, more than 2"}


def test_a_mix_below_the_floor_is_refused_and_one_without_real_rows_always() -> None:
    with pytest.raises(UsageError, match=r"1 of 3 rows are real, 33%.*at least 50%.*or 1 made rows fewer"):
        mix({"a": 0, "b": 1, "c": 1})
    with pytest.raises(UsageError, match="0 of 1 rows are real"):
        mix({"a": 1}, Anchor(real=1e-9))
    with pytest.raises(UsageError, match="0 of 0 rows"):
        mix({})
    with pytest.raises(ValidationError):
        Anchor(real=0.0)


def test_rounds_add_and_never_replace() -> None:
    with pytest.raises(UsageError, match="1 rows of earlier rounds are missing, old first"):
        mix({"new": 0}, earlier=["old", "new"])
    assert mix({"old": 0, "new": 1}, earlier=["old"]).ids == ("old", "new")


@given(st.integers(1, 2000), st.integers(0, 2000), st.floats(0.01, 1))
def test_what_room_allows_is_accepted_and_one_more_is_not(real: int, made: int, share: float) -> None:
    anchor = Anchor(real=share)
    fits = min(room(real, 0, anchor), 3000)
    rows = {f"r{i}": 0 for i in range(real)}
    assert mix({**rows, **{f"m{i}": 1 for i in range(fits)}}, anchor).real >= share
    assert room(real, made, anchor) == max(0, room(real, 0, anchor) - made)
    if fits < 3000:
        with pytest.raises(UsageError):
            mix({**rows, **{f"m{i}": 1 for i in range(fits + 1)}}, anchor)
