"""The monotone map of CalibraEval: its shape, its gradients, what it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.monotone import _loss, _weights, fit_monotone


@given(st.integers(0, 1000))
def test_the_map_is_monotone_everywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((int(rng.integers(1, 30)), 3))
    fitted = fit_monotone(*p.T)
    grid = fitted(np.linspace(0, 1, 500))
    assert (np.diff(grid) >= -1e-12).all()
    assert grid[0] == 0
    assert grid[-1] == pytest.approx(1)


def test_gradients_against_finite_differences() -> None:
    rng = np.random.default_rng(0)
    knots = np.concatenate([[0], np.sort(rng.random(9)), [1]])
    weights = [_weights(rng.random(40), knots) for _ in range(3)]
    for _ in range(5):
        at = rng.normal(size=10)
        error = check_grad(lambda x: _loss(x, weights, 0.1)[0], lambda x: _loss(x, weights, 0.1)[1], at)
        assert error < 1e-6


def test_probabilities_are_checked() -> None:
    good = np.array([0.5])
    for wrong in (np.array([1.5]), np.array([np.nan]), np.array([0.5, 0.5])):
        with pytest.raises(UsageError, match="calibra_eval"):
            fit_monotone(good, good, wrong)
