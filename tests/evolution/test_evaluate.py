"""Evaluation arithmetic by hand: ratio of sums, slices, intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import Verdict
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.intervals import interval
from dataflywheel.evolution.judging.win_rate import win_rate


def scores(value: list[float], weight: list[float], slices: list[str]) -> RowScores:
    ids = np.array([str(i) for i in range(len(value))], dtype=object)
    return RowScores(ids, np.array(slices, dtype=object), np.array(value), np.array(weight))


def test_the_metric_is_a_ratio_of_sums_and_not_a_mean_of_ratios() -> None:
    assert scores([10.0, 1.0], [1.0, 10.0], ["a", "b"]).metric() == pytest.approx(1.0)


def test_rows_without_a_score_count_as_such() -> None:
    found = summarise(scores([1.0, np.nan, 3.0], [1.0, 1.0, 1.0], ["a"] * 3), "bits_per_byte", Evaluate())
    assert found["overall"]["value"] == 2.0
    assert found["overall"]["n"] == 2
    assert found["not_scored"] == 1


def test_small_slices_are_reported_together() -> None:
    found = scores([1.0] * 50, [1.0] * 50, ["big"] * 30 + ["mid"] * 10 + ["x"] * 6 + ["y"] * 4).by_slice(10)
    assert [(name, len(at)) for name, at in found.items()] == [("big", 30), ("mid", 10), ("other", 10)]


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        weight = rng.uniform(1, 5, 60)
        found = interval(weight * 2 + rng.normal(0, 1, 60), weight, 400, seed=trial)
        covered += found["low"] <= 2 <= found["high"]
    assert 178 <= covered <= 200  # 95 % nominal; the percentile bootstrap is a little short at n = 60


def test_one_row_has_no_interval() -> None:
    found = interval(np.array([1.0]), np.array([2.0]), 200)
    assert found["value"] == 0.5
    assert np.isnan(found["low"])


def test_a_part_of_the_rows_has_its_own_ratio_over_what_was_scored() -> None:
    found = scores([2.0, np.nan, 9.0], [1.0, 50.0, 3.0], ["a", "a", "b"])
    assert found.metric(np.array([0, 1])) == 2.0
    assert np.isnan(found.metric(np.array([1])))


def test_a_share_of_which_none_or_all_are_right_is_not_known_exactly() -> None:
    found = summarise(scores([0.0] * 12, [1.0] * 12, ["a"] * 6 + ["b"] * 6), "final_answer", Evaluate(smallest_slice=2))
    assert found["overall"]["value"] == found["overall"]["low"] == 0.0
    assert found["overall"]["high"] == pytest.approx(0.2425, abs=1e-3)
    assert found["slices"]["a"]["high"] > found["overall"]["high"]
    won = win_rate([Verdict.FIRST] * 8, list(range(8)))
    assert (won["value"], won["high"]) == (1.0, 1.0)
    assert won["low"] == pytest.approx(0.6756, abs=1e-3)
