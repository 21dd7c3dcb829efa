"""A round is taken back where it came out worse, or where it costs a protected slice too much."""

from __future__ import annotations

import numpy as np

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.recipe.rounds.round_outcome import judged
from dataflywheel.recipe.sections import Guards


def scores(shift: dict[str, float], n: int = 200) -> dict[str, RowScores]:
    """Bits and bytes of n rows a slice; every row's bits a byte are 3 plus the slice's shift and noise of its own."""
    rng = np.random.default_rng(0)
    names = np.repeat(list(shift), n)
    value = 3 + rng.normal(0, 0.5, len(names)) + np.repeat(list(shift.values()), n)
    ids = np.array([f"row{i}" for i in range(len(names))], dtype=object)
    found = RowScores(ids, names.astype(object), value * 100, np.full(len(names), 100.0))
    return {"select": found, "steer": found}


BEFORE = {"a": 0.0, "b": 0.0}


def test_better_and_equal_rounds_stay_and_worse_ones_do_not() -> None:
    best, guards = scores(BEFORE), Guards()
    assert judged(None, best, "bits_per_byte", guards).kept
    better = judged(best, scores({"a": -0.3, "b": -0.3}), "bits_per_byte", guards)
    assert better.kept
    assert better.reasons[0].startswith("better than the best round so far: +0.3")
    assert judged(best, scores(BEFORE), "bits_per_byte", guards).kept
    worse = judged(best, scores({"a": 0.3, "b": 0.3}), "bits_per_byte", guards)
    assert not worse.kept
    assert worse.reasons[0].startswith("worse than")
    below = judged(best, scores({"a": 0.0, "b": 0.002}), "bits_per_byte", guards)
    assert below.change is not None
    assert below.change.low < below.change.value < 0
    assert not below.kept


def test_a_protected_slice_is_restored_by_taking_the_round_back() -> None:
    best, now = scores(BEFORE), scores({"a": -0.5, "b": 0.2})
    assert judged(best, now, "bits_per_byte", Guards()).kept
    guarded = judged(best, now, "bits_per_byte", Guards(protected=["b"], margin=0.05))
    assert not guarded.kept
    assert any("b regressed" in reason for reason in guarded.reasons)
    assert judged(best, now, "bits_per_byte", Guards(protected=["a"], margin=0.05)).kept
    absent = judged(best, now, "bits_per_byte", Guards(protected=["c"]))
    assert absent.kept
    assert "c is protected and has no row in the select tier" in absent.reasons
