"""Protected slices: what holds, what regressed, and a roll-back that restores."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.iteration.protected import Protected, protect

SLICES = np.array(["safety"] * 200 + ["style"] * 200, dtype=object)
IDS = np.array([str(i) for i in range(400)], dtype=object)


def scored(safety: float, style: float, seed: int = 0, noise: float = 0.2) -> RowScores:
    base = np.random.default_rng(99).normal(0, 1, 400)  # hard rows are hard for every model
    value = base + np.where(SLICES == "safety", safety, style) + np.random.default_rng(seed).normal(0, noise, 400)
    return RowScores(IDS, SLICES, value, np.ones(400))


def test_only_a_protected_slice_rolls_back() -> None:
    before, after = scored(2.0, 2.0), scored(2.1, 2.5, seed=1)
    harmed = protect(before, after, "answer_loss", Protected(slices={"safety": 0.02}))
    assert harmed.roll_back
    assert "safety regressed: -0.0" in harmed.reasons["safety"]
    assert not protect(before, after, "answer_loss", Protected(slices={"safety": 0.3})).roll_back
    assert not protect(before, after, "answer_loss", Protected()).roll_back
    better = protect(after, before, "answer_loss", Protected(slices={"safety": 0.0}))
    assert not better.roll_back
    assert "safety holds" in better.reasons["safety"]


def test_what_is_unclear_rolls_back_only_if_strict() -> None:
    before, after = scored(2.0, 2.0, noise=3), scored(2.0, 2.0, seed=1, noise=3)
    wide = Protected(slices={"safety": 0.3})
    assert "unclear" in protect(before, after, "answer_loss", wide).reasons["safety"]
    assert not protect(before, after, "answer_loss", wide).roll_back
    assert protect(before, after, "answer_loss", Protected(slices={"safety": 0.3}, strict=True)).roll_back


def test_rows_that_could_not_be_scored_are_unclear() -> None:
    before, after = scored(2.0, 2.0), scored(2.0, 2.0, seed=1)
    after.value[:] = np.nan
    found = protect(before, after, "answer_loss", Protected(slices={"safety": 0.1}))
    assert "unclear: +nan [+nan, +nan] over 0 rows" in found.reasons["safety"]
    assert not found.roll_back


def test_a_wheel_that_rolls_back_keeps_the_protected_slice() -> None:
    rng = np.random.default_rng(5)
    kept, best = [scored(2.0, 2.0)], 2.0
    for number in range(6):
        harm = 0.15 if number in (1, 4) else -0.05  # two rounds hurt safety
        after = scored(best + harm, 2.0 - 0.1 * number, seed=int(rng.integers(1000)))
        if not protect(kept[-1], after, "answer_loss", Protected(slices={"safety": 0.03})).roll_back:
            kept.append(after)
            best += harm
    assert len(kept) == 5
    assert best == pytest.approx(1.8)


def test_a_slice_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="'safty'; there is: safety, style"):
        protect(scored(2, 2), scored(2, 2), "answer_loss", Protected(slices={"safty": 0.1}))
