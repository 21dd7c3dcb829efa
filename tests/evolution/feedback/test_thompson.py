"""The posterior by hand, and the policy against equal shares in simulation."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.feedback import SEEDS, Greedy, simulate
from dataflywheel.contracts import RoundResult
from dataflywheel.evolution.feedback.thompson import (
    PRIOR_NOISE,
    PRIOR_ROUNDS,
    PRIOR_SHAPE,
    Thompson,
    posterior,
)
from dataflywheel.evolution.feedback.uniform import Uniform

FIRST = RoundResult((), {"a": 5.0}, 0.0)


def test_one_arm_is_the_normal_gamma_posterior_of_its_mean() -> None:
    rounds = [FIRST, *(RoundResult((), {"a": 10.0}, gain) for gain in (2.0, 4.0, 3.0))]
    rate, weight = np.array([0.3, 0.4, 0.2]), np.array([1.0, 0.8, 0.64])  # newest first
    centre = (rate @ weight) / weight.sum()
    scale = np.sqrt((rate**2) @ weight / weight.sum())
    found = posterior(rounds, ["a"], 0.8)
    assert found is not None
    assert found.precision[0, 0] == pytest.approx(PRIOR_ROUNDS + weight.sum())
    assert found.mean[0] == pytest.approx(centre)  # the belief beforehand is centred on what was seen
    assert found.shape == pytest.approx(PRIOR_SHAPE + weight.sum() / 2)
    wanted = PRIOR_SHAPE * (PRIOR_NOISE * scale) ** 2 + (weight @ (rate - centre) ** 2) / 2
    assert found.rate == pytest.approx(wanted)


def test_arms_that_changed_together_are_told_apart_by_their_shares() -> None:
    worth = {"a": 0.5, "b": -0.2, "c": 0.0}
    rng = np.random.default_rng(0)
    rounds = [FIRST]
    for _ in range(12):
        spent = dict(zip(worth, rng.dirichlet([0.5] * 3) * 20, strict=True))
        rounds.append(RoundResult((), spent, sum(spent[k] * worth[k] for k in worth)))
    found = posterior(rounds, list(worth), 1.0)
    assert found is not None
    assert found.mean == pytest.approx(list(worth.values()), abs=0.08)  # drawn to each other a little
    draws = found.sample(4000, np.random.default_rng(1))
    assert draws.mean(axis=0) == pytest.approx(found.mean, abs=0.01)
    spread = np.linalg.inv(found.precision) * found.rate / (found.shape - 1)
    assert np.cov(draws.T) == pytest.approx(spread, rel=0.15, abs=1e-5)


def test_old_evidence_counts_less() -> None:
    rounds = [FIRST] + [RoundResult((), {"a": 1.0}, 1.0)] * 5 + [RoundResult((), {"a": 1.0}, 0.0)] * 5
    early, late = posterior(rounds, ["a"], 1.0), posterior(rounds, ["a"], 0.5)
    assert early is not None
    assert late is not None
    assert early.mean[0] == pytest.approx(0.5)
    assert late.mean[0] < 0.1


def test_without_a_gain_nothing_is_claimed() -> None:
    assert posterior([FIRST], ["a", "b"], 0.8) is None
    assert posterior([FIRST, RoundResult((), {"other": 3.0}, 1.0)], ["a", "b"], 0.8) is None
    assert posterior([FIRST, RoundResult((), {"a": 3.0}, float("nan"))], ["a", "b"], 0.8) is None
    first = Thompson().allocate([], ["a", "b"], 10, np.random.default_rng(0))
    assert first.amounts == {"a": 5, "b": 5}
    assert "by lot" in Thompson().allocate([FIRST], ["a", "b"], 10, np.random.default_rng(0)).reasons["a"]


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6])
def test_four_sources_one_useless_one_harmful(noise: float) -> None:
    thompson, uniform, greedy = (
        [simulate(policy, seed, noise) for seed in range(SEEDS)] for policy in (Thompson(), Uniform(), Greedy())
    )
    for name, found in (("Thompson", thompson), ("equal shares", uniform), ("greedy", greedy)):
        print(f"\nnoise {noise}: {name}: regret {np.mean([o.regret for o in found]):.2f}, "
              f"loss {np.mean([o.loss for o in found]):.2f}")  # fmt: skip
    pairs = list(zip(thompson, uniform, strict=True))
    assert np.mean([one.regret - other.regret for one, other in pairs]) < -0.6
    assert np.mean([one.loss - other.loss for one, other in pairs]) < -0.5
    if noise <= 0.3:  # else a seed in five may be misled
        assert all(one.regret < other.regret and one.loss < other.loss for one, other in pairs)
