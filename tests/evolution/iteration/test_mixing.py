"""Real rows at the heart of every mix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataflywheel.evolution.iteration.mixing import Anchor, room


def test_a_share_without_real_rows_cannot_be_asked_for() -> None:
    with pytest.raises(ValidationError):
        Anchor(real=0.0)


@given(st.integers(1, 2000), st.integers(0, 2000), st.floats(0.01, 1))
def test_what_room_allows_keeps_the_share_and_one_more_does_not(real: int, made: int, share: float) -> None:
    anchor = Anchor(real=share)
    fits = room(real, 0, anchor)
    assert real / (real + fits) >= share - 1e-9
    assert real / (real + fits + 1) < share + 1e-9
    assert room(real, made, anchor) == max(0, fits - made)
