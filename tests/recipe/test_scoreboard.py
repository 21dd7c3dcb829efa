"""Verdicts by hand: an interval that touches zero is no gain, whichever way is better."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.recipe.comparing.scoreboard import against, jaccard, mean_interval, verdict
from dataflywheel.store.scoreboard import ArmScore, Better, MeanInterval, Scoreboard, costs_beside, costs_more


def test_the_interval_is_students() -> None:
    found = mean_interval([2.0, 4.0, 6.0])
    # mean 4, standard deviation 2, t(0.975, 2) = 4.3027
    assert found.mean == 4.0
    assert found.high - found.mean == pytest.approx(4.3027 * 2 / np.sqrt(3), rel=1e-4)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = sum(f.low <= 1 <= f.high for f in (mean_interval(list(rng.normal(1, 3, 5))) for _ in range(2000)))
    assert 0.935 <= hits / 2000 <= 0.965


@pytest.mark.parametrize(
    ("low", "high", "better", "said"),
    [
        (-0.2, -0.1, "lower", "better than random"),
        (-0.2, -0.1, "higher", "worse than random"),
        (0.1, 0.2, "higher", "better than random"),
        (0.1, 0.2, "lower", "worse than random"),
        (-0.1, 0.2, "lower", "no better than random"),
        (0.0, 0.2, "higher", "no better than random"),
        (float("nan"), float("nan"), "lower", "no better than random"),
    ],
)
def test_a_gain_needs_an_interval_without_zero(low: float, high: float, better: Better, said: str) -> None:
    assert verdict(MeanInterval(mean=(low + high) / 2, low=low, high=high), better) == said


def test_differences_are_paired_by_seed() -> None:
    """Seeds that differ far more than the arms do hide nothing when paired."""
    random = [1.0, 5.0, 9.0]
    found = against([0.9, 4.9, 8.9], random, "lower")
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(-0.1)
    assert found.verdict == "better than random"
    assert against(random, None, "lower").verdict == "baseline"


def test_overlap_of_selections() -> None:
    assert jaccard(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
    assert jaccard([], []) == 0


@pytest.mark.parametrize(
    ("rows", "tokens", "said"),
    [
        (40, 12455, "same training tokens"),
        (44, 12690, "same training tokens"),
        (40, 12750, "same rows, +2 % tokens"),
        (40, 14566, "same rows, +17 % tokens"),
        (33, 9000, "-28 % tokens"),
        (40, 0, "same rows, tokens unknown"),
    ],
)
def test_what_an_arm_cost_beside_random(rows: int, tokens: int, said: str) -> None:
    random = ArmScore(name="random", rows=40, train_tokens=12455)
    arm = ArmScore(name="ifd", rows=rows, train_tokens=tokens)
    assert costs_beside(arm, random) == said
    assert costs_more(arm, random) == ("" if said == "same training tokens" else said)
    assert costs_more(random, random) == ""
    held = Scoreboard(arms=[arm, random]).as_dict()
    assert [line["cost_beside_random"] for line in held["arms"]] == [said, "same training tokens"]
    assert Scoreboard.model_validate(held) == Scoreboard(arms=[arm, random])  # what is told is not what is kept
