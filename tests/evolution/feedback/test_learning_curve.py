"""The curve through known losses, the coverage of its intervals, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import curve_fit

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.evolution.feedback.learning_curve import LearningCurve, nested_subsets

SIZES = [100, 200, 400, 800, 1600]


def law(n: FloatArray, floor: float, scale: float, bend: float) -> FloatArray:
    return floor + scale * n**-bend


def test_losses_without_noise_give_the_law_back() -> None:
    losses = law(np.array(SIZES, dtype=float), 1.2, 5.0, 0.4)
    curve = LearningCurve.of(SIZES, [losses] * 3)
    found = curve.next_rows(1600, cost_a_row=0.01)
    wanted = law(np.array([1600.0, 3200.0]), 1.2, 5.0, 0.4)
    assert found.gain == pytest.approx(wanted[0] - wanted[1], rel=0.01)
    assert found.high - found.low < 1e-9
    assert found.cost == 16.0
    assert curve.at(3200) == pytest.approx(wanted[1], rel=1e-3)


def test_the_fit_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array(SIZES, dtype=float)
    losses = law(sizes, 1.0, 6.0, 0.3) + rng.normal(0, 0.01, (4, 5))
    best, _ = curve_fit(law, sizes, losses.mean(axis=0), p0=(1.0, 6.0, 0.3), maxfev=20_000)
    wanted = law(np.array([1600.0, 2400.0]), *best)
    assert LearningCurve.of(SIZES, losses.tolist()).next_rows(800).gain == pytest.approx(
        wanted[0] - wanted[1], rel=0.02
    )


@pytest.mark.parametrize(("seeds", "points", "noise"), [(3, 5, 0.02), (3, 4, 0.02), (5, 6, 0.01), (3, 3, 0.03)])
def test_ninety_percent_intervals_cover_the_true_gain(seeds: int, points: int, noise: float) -> None:
    sizes = 100.0 * 2 ** np.arange(points)
    covered = 0
    for run in range(100):
        rng = np.random.default_rng(run)
        truth = rng.uniform(0.5, 2), rng.uniform(1, 10), rng.uniform(0.1, 0.6)
        losses = law(sizes, *truth) + rng.normal(0, noise, (seeds, points)) + rng.normal(0, 0.02, (seeds, 1))
        found = LearningCurve.of([int(n) for n in sizes], losses.tolist()).next_rows(int(sizes[-1]))
        here, ahead = law(np.array([sizes[-1], 2 * sizes[-1]]), *truth)
        covered += found.low <= here - ahead <= found.high
    print(f"\n{seeds} seeds, {points} sizes: {covered} of 100 intervals cover")
    assert covered >= 84


def test_few_sizes_are_log_linear_and_their_interval_reaches_down_to_the_steepest_bend() -> None:
    losses = [3.0 - 0.2 * math.log(n) for n in SIZES[:3]]
    found = LearningCurve.of(SIZES[:3], [losses] * 3).next_rows(400)
    assert found.gain == pytest.approx(0.2 * math.log(2))
    assert found.low < found.gain == pytest.approx(found.high)
    # alpha = 1: least squares on 1 / n, by hand.
    x = 1 / np.array(SIZES[:3])
    slope = np.polyfit(x, losses, 1)[0]
    assert found.low == pytest.approx(slope * (1 / 400 - 1 / 800))


def test_what_is_refused() -> None:
    losses = [[3.0, 2.5, 2.2]] * 3
    curve = LearningCurve.of(SIZES[:3], losses)
    with pytest.raises(UsageError, match="one doubling ahead"):
        curve.next_rows(401)
    for sizes, given, word in (
        (SIZES[:3], losses[:2], "2 seeds"),
        ([100, 100, 200], losses, "ascending"),
        (SIZES[:2], losses, "ascending"),
        (SIZES[:3], [[3.0, 2.5, math.nan]] * 3, "not finite"),
    ):
        with pytest.raises(UsageError, match=word):
            LearningCurve.of(sizes, given)


def test_a_flat_curve_gains_nothing() -> None:
    found = LearningCurve.of(SIZES, [[2.0] * 5] * 3).next_rows(100, cost_a_row=1.0)
    assert found.gain == pytest.approx(0)


def test_subsets_are_nested_and_do_not_depend_on_order() -> None:
    ids = [f"r{i}" for i in range(50)]
    small, large = nested_subsets(ids, [10, 40])
    assert set(small) < set(large)
    assert nested_subsets(ids[::-1], [10, 40]) == [small, large]
    assert nested_subsets(ids, [10], seed=1)[0] != small
    with pytest.raises(UsageError, match="51 rows"):
        nested_subsets(ids, [51])
