"""Strengths from comparisons: recovered when planted, finite always."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from dataflywheel.contracts import UsageError
from dataflywheel.signals.rating.bradley_terry import bradley_terry, strength_against


def tournament(n: int, meetings: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True strengths, and wins where `meetings` opponents are drawn for every item; the weaker wins with `noise`."""
    rng = np.random.default_rng(seed)
    strength, wins = rng.standard_normal(n), np.zeros((n, n))
    for i in range(n):
        for j in rng.choice([k for k in range(n) if k != i], meetings, replace=False):
            better = strength[i] > strength[j]
            first = better if rng.random() >= noise else not better
            wins[(i, j) if first else (j, i)] += 1
    return strength, wins


@pytest.mark.parametrize("seed", range(5))
def test_planted_strengths_are_recovered(seed: int) -> None:
    strength, wins = tournament(200, 20, 0.1, seed)
    assert wins.sum() == 200 * 20
    assert spearmanr(bradley_terry(wins).value, strength).statistic > 0.95


def test_the_standard_error_covers_what_it_should() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        strength = rng.normal(0, 1.5, 10)
        wins = np.zeros((10, 10))
        for i in range(10):
            for j in range(i):
                won = rng.binomial(4, 1 / (1 + np.exp(strength[j] - strength[i])))
                wins[i, j], wins[j, i] = won, 4 - won
        found = bradley_terry(wins, prior_deviation=1.5)
        covered.append(np.abs(found.value - strength) < 1.96 * found.error)
    assert 0.93 < np.mean(covered) < 0.97


def test_unbeaten_items_and_unconnected_groups_stay_finite() -> None:
    wins = np.zeros((6, 6))
    wins[0, 1], wins[1, 2], wins[3, 4] = 1000, 5, 5
    found = bradley_terry(wins)
    assert np.isfinite(found.value).all()
    assert found.value[0] > found.value[1] > found.value[2]
    assert found.value[5] == 0
    assert found.error[5] == pytest.approx(2.0)  # nothing but the prior
    assert (found.error[:5] < 2.0).all()


def test_a_gradient_of_zero_at_the_answer() -> None:
    _, wins = tournament(40, 12, 0.3, 1)
    value = bradley_terry(wins, 1.0).value
    chance = 1 / (1 + np.exp(value[None, :] - value[:, None]))
    gradient = (wins - (wins + wins.T) * chance).sum(axis=1) - value
    assert np.abs(gradient).max() < 1e-7


def test_one_item_against_known_ones_agrees_with_the_whole() -> None:
    anchors = np.linspace(-2, 2, 9)
    value, error = strength_against(anchors, 1 / (1 + np.exp(anchors - 0.7)) * 400, np.full(9, 400.0), 100.0)
    assert value == pytest.approx(0.7, abs=1e-3)
    chance = 1 / (1 + np.exp(anchors - 0.7))
    assert error == pytest.approx((400 * chance * (1 - chance)).sum() ** -0.5, rel=1e-3)
    assert np.isfinite(strength_against(anchors, np.full(9, 400.0), np.full(9, 400.0))).all()


def test_what_is_no_table_of_wins_is_refused() -> None:
    for wrong in (np.zeros((2, 3)), -np.ones((2, 2)), np.full((2, 2), np.nan), np.zeros((4001, 4001))):
        with pytest.raises(UsageError, match="bradley_terry"):
            bradley_terry(wrong)
