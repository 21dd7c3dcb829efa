"""Shares by how much of the target a slice is."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import RoundResult, SliceResult
from dataflywheel.evolution.feedback.proportional import Proportional


def test_proportional_follows_rows_and_importance() -> None:
    results = [SliceResult("a", 1, 1, 1, 30, 0.1), SliceResult("b", 1, 1, 1, 10, 0.9)]
    rng = np.random.default_rng(0)
    assert Proportional().allocate([RoundResult(results)], ["a", "b"], 100, rng).amounts == {"a": 75, "b": 25}
    twice = Proportional(importance={"b": 3.0})
    assert twice.allocate([RoundResult(results)], ["a", "b"], 100, rng).amounts == {"a": 50, "b": 50}
    # A slice that was not evaluated counts as an average one: 30, 10 and 20 rows.
    assert Proportional().allocate([RoundResult(results)], ["a", "b", "new"], 60, rng).amounts["new"] == 20
