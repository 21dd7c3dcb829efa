"""Paired changes: direction, pairing by id, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.paired import improvement


def scores(ids: list[str], value: list[float], weight: list[float] | None = None, slices: str = "") -> RowScores:
    names = np.array(list(slices) or ["s"] * len(ids), dtype=object)
    return RowScores(np.array(ids, dtype=object), names, np.array(value), np.array(weight or [1.0] * len(ids)))


def test_rows_are_paired_by_id_and_better_is_above_zero() -> None:
    before = scores(["a", "b", "c"], [4.0, 6.0, math.nan], [2.0, 2.0, 1.0])
    after = scores(["c", "b", "a", "d"], [1.0, 5.0, 3.0, 0.0], [1.0, 2.0, 2.0, 9.0])
    loss = improvement(before, after, "bits_per_byte")
    assert (loss.value, loss.n) == (pytest.approx(10 / 4 - 8 / 4), 2)
    assert improvement(before, after, "exact_match").value == pytest.approx(-0.5)


def test_only_the_named_slices_count() -> None:
    before = scores(["a", "b", "c"], [1.0, 1.0, 9.0], slices="xxy")
    after = scores(["a", "b", "c"], [0.0, 0.0, 99.0], slices="xxy")
    found = improvement(before, after, "answer_loss", ["x"])
    assert (found.value, found.low, found.high, found.n) == (1.0, 1.0, 1.0, 2)


def test_too_few_rows_say_nothing() -> None:
    found = improvement(scores(["a"], [1.0]), scores(["a"], [0.0]), "answer_loss")
    assert math.isnan(found.value)
    assert found.n == 1


def test_intervals_cover_the_true_change() -> None:
    covered = 0
    for run in range(150):
        rng = np.random.default_rng(run)
        hard, ids = rng.normal(5, 2, 60), [str(i) for i in range(60)]
        before, after = hard + rng.normal(0, 0.3, 60), hard - 0.1 + rng.normal(0, 0.3, 60)
        found = improvement(scores(ids, before.tolist()), scores(ids, after.tolist()), "answer_loss", seed=run)
        covered += found.low <= 0.1 <= found.high
        assert found.high - found.low < 0.4  # what rows share does not count
    assert covered >= 132
