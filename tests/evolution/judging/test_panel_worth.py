"""What a panel is worth, on errors with a planted correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.contracts import UsageError, Verdict
from dataflywheel.evolution.judging.panel_worth import VOTES, effective_votes, error_correlation, panel_worth


def correlated_errors(rng: np.random.Generator, items: int, judges: int, rho: float) -> np.ndarray:
    """Errors (items, judges) at a rate of 0.3 whose correlation is rho: each copies a common draw at sqrt(rho)."""
    common = rng.random((items, 1)) < 0.3
    own = rng.random((items, judges)) < 0.3
    return np.where(rng.random((items, judges)) < math.sqrt(rho), common, own).astype(float)


def test_effective_votes_of_planted_correlation() -> None:
    wrong = correlated_errors(np.random.default_rng(0), 20_000, 9, 0.6)
    correlation = error_correlation(wrong)
    assert correlation == pytest.approx(0.6, abs=0.01)
    assert correlation == pytest.approx(np.corrcoef(wrong.T)[np.triu_indices(9, 1)].mean())
    assert effective_votes(9, correlation) == pytest.approx(1.55, abs=0.02)
    assert math.isnan(effective_votes(9, math.nan))
    assert math.isnan(error_correlation(np.zeros((5, 2))))
    assert effective_votes(3, -0.2) == 3


def as_verdicts(gold: np.ndarray, wrong: np.ndarray) -> list[list[Verdict]]:
    return [[VOTES[g if not w else 1 - g] for g, w in zip(gold, column, strict=True)] for column in wrong.T]


def test_a_panel_with_errors_of_its_own_beats_its_best_member_and_one_with_shared_errors_does_not() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 2, 1000)
    labels = [VOTES[g] for g in gold]
    apart = panel_worth(as_verdicts(gold, correlated_errors(rng, 1000, 7, 0.0)), labels, range(1000))
    assert apart.beats
    assert apart.panel > max(apart.members) + 0.1
    assert apart.effective_votes == pytest.approx(7, abs=0.8)
    together = panel_worth(as_verdicts(gold, correlated_errors(rng, 1000, 7, 1.0)), labels, range(1000))
    assert not together.beats
    assert together.gain["value"] == 0
    assert together.effective_votes == pytest.approx(1)


def test_a_panel_is_not_scored_where_there_is_no_gold() -> None:
    first, second, invalid = Verdict.FIRST, Verdict.SECOND, Verdict.INVALID
    members = [[first, second, invalid, invalid], [first, second, first, invalid]]
    found = panel_worth(members, [first, second, first, invalid], "abcd")
    assert found.members == pytest.approx((2 / 3, 1))
    with pytest.raises(UsageError, match="two members"):
        panel_worth(members[:1], [first] * 4, "abcd")
