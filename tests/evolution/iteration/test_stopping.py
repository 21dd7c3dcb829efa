"""Each rule stops on its planted case with a sentence that says so, and lets a wheel that gets better go on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.iteration.stopping import Stopping

IDS = np.array([str(i) for i in range(300)], dtype=object)
HARD = np.random.default_rng(99).normal(2, 1, 300)


def rounds(*losses: float) -> list[RowScores]:
    return [
        RowScores(IDS, IDS, HARD + loss + np.random.default_rng(i).normal(0, 0.1, 300), np.ones(300))
        for i, loss in enumerate(losses)
    ]


def test_it_goes_on_while_rounds_get_better() -> None:
    history = rounds(1.0, 0.9, 0.8, 0.7)
    for k in range(1, 5):
        assert Stopping().why(history[:k], "answer_loss") == ""


def test_two_flat_rounds_stop_it() -> None:
    assert Stopping().why(rounds(1.0, 0.8, 0.9), "answer_loss") == ""  # the second was better than the first
    why = Stopping().why(rounds(1.0, 0.8, 0.82, 0.81), "answer_loss")
    assert why.startswith("stopped: the last 2 rounds did not improve on the select tier")
    assert "300 rows" in why
    assert "the last round did not improve" in Stopping(patience=1).why(rounds(1.0, 0.8, 0.82), "answer_loss")


def test_a_gain_below_the_minimum_does_not_count() -> None:
    history = rounds(1.0, 0.9, 0.88, 0.86)
    assert Stopping(minimum_gain=0.0).why(history, "answer_loss") == ""
    assert "did not improve" in Stopping(minimum_gain=0.1).why(history, "answer_loss")


def test_higher_is_better_where_it_is() -> None:
    assert "did not improve" in Stopping().why(rounds(1.0, 0.9, 0.8), "exact_match")
    assert Stopping().why(rounds(0.8, 0.9, 1.0), "exact_match") == ""


def test_an_alarm_stops_it_and_says_which() -> None:
    history = rounds(1.0, 0.8)
    assert Stopping().why(history, "answer_loss", alarms=["tail fell by 40%", "x"]) == (
        "stopped: tail fell by 40% (and 1 alarms more)"
    )


def test_rounds_that_were_not_scored_are_no_improvement() -> None:
    history = rounds(1.0, 0.5, 0.5)
    for one in history[1:]:
        one.value[:] = math.nan
    assert "did not improve" in Stopping().why(history, "answer_loss")


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_does_not_keep_the_wheel_turning(seed: int) -> None:
    rng = np.random.default_rng(seed)
    history = [RowScores(IDS, IDS, HARD + rng.normal(0, 0.1, 300), np.ones(300)) for _ in range(4)]
    assert "did not improve" in Stopping().why(history, "answer_loss")
