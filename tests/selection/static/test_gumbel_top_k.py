"""Draws by score: cold ones are the order, hot ones are even, others follow the softmax."""

from __future__ import annotations

import numpy as np
from scipy.stats import chisquare

from dataflywheel.selection.static.gumbel_top_k import GumbelTopK
from dataflywheel.selection.static.rated import Rated
from tests.selection.columns import generator, make_columns, scored


def test_temperature_zero_is_the_order_by_score() -> None:
    columns = make_columns(200)
    cold = GumbelTopK(score="likelihood.loss_answer", temperature=0).rank(columns, 200, generator(7))
    assert cold.order.tolist() == Rated(score="likelihood.loss_answer").rank(columns, 200, generator()).order.tolist()


def draws(temperature: float, times: int) -> np.ndarray:
    """How often each of five rows comes first."""
    columns, rng = scored([0.0, 1.0, 2.0, 3.0, 4.0]), np.random.default_rng(0)
    selector = GumbelTopK(score="x.score", temperature=temperature)
    return np.bincount([selector.rank(columns, 1, rng).order[0] for _ in range(times)], minlength=5)


def test_a_high_temperature_is_uniform_and_others_follow_the_softmax() -> None:
    assert chisquare(draws(1e6, 5000)).pvalue > 0.01
    standard = np.arange(-2, 3) / np.sqrt(2)
    for temperature in (0.5, 2.0):
        weight = np.exp(standard / temperature)
        expected = 5000 * weight / weight.sum()
        assert chisquare(draws(temperature, 5000), expected).pvalue > 0.01
        assert chisquare(draws(temperature, 5000)).pvalue < 1e-6


def test_equal_scores_are_drawn_evenly() -> None:
    columns, rng = scored([3.0] * 4), np.random.default_rng(1)
    firsts = [GumbelTopK(score="x.score").rank(columns, 1, rng).order[0] for _ in range(2000)]
    assert chisquare(np.bincount(firsts)).pvalue > 0.01
