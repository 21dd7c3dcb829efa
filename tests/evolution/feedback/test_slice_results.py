"""Slices with intervals and success, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.intervals import interval, wilson
from dataflywheel.evolution.feedback.slice_results import slice_results, success


def scores(value: list[float], weight: list[float], slices: list[str]) -> RowScores:
    ids = np.array([str(i) for i in range(len(value))], dtype=object)
    return RowScores(ids, np.array(slices, dtype=object), np.array(value), np.array(weight))


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 7), (50, 50), (199, 400)])
def test_wilson_equals_scipy(right: int, n: int) -> None:
    wanted = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_exact_match_by_slice_with_rows_that_could_not_be_scored() -> None:
    found = slice_results(scores([1, 0, 1, math.nan, math.nan], [1] * 5, ["a", "a", "a", "a", "b"]), "exact_match")
    assert [(r.name, r.n) for r in found] == [("a", 3), ("b", 0)]
    assert found[0].value == found[0].success == pytest.approx(2 / 3)
    assert (found[0].low, found[0].high) == pytest.approx(wilson(2, 3))
    assert math.isnan(found[1].value)
    assert math.isnan(found[1].success)


def test_bits_per_byte_are_ratios_of_sums_and_eight_bits_are_chance() -> None:
    rng = np.random.default_rng(0)
    weight = rng.uniform(10, 100, 60)
    value = 2.0 * weight + rng.normal(0, 3, 60)
    (found,) = slice_results(scores(value.tolist(), weight.tolist(), ["a"] * 60), "bits_per_byte")
    wanted = interval(value, weight, 2000)
    assert found.value == pytest.approx(value.sum() / weight.sum())
    assert (found.low, found.high) == (wanted["low"], wanted["high"])
    assert found.success == pytest.approx(1 - found.value / 8)


@pytest.mark.parametrize(
    ("value", "metric", "wanted"), [(8.0, "bits_per_byte", 0.0), (9.0, "bits_per_byte", 0.0), (0.0, "answer_loss", 1.0)]
)
def test_success_at_its_ends(value: float, metric: str, wanted: float) -> None:
    assert success(value, metric, chance=math.log(4096)) == wanted


def test_a_loss_needs_its_chance() -> None:
    with pytest.raises(UsageError, match="logarithm of the vocabulary"):
        slice_results(scores([1.0], [1.0], ["a"]), "answer_loss")
    (found,) = slice_results(scores([math.log(64.0)], [1.0], ["a"]), "answer_loss", chance=math.log(4096))
    assert found.success == pytest.approx(0.5)
