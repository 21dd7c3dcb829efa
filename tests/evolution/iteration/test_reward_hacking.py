"""The alarm on a judge that loves length, and silence on a fair one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.evolution.iteration.reward_hacking import JudgedRound, reward_hacking

N = 80
Wheel = Callable[[int], list[JudgedRound]]


def best_of(seed: int, loves_length: bool, rounds: int = 4) -> list[JudgedRound]:
    """A policy over answers (is it right, how long) that moves to what the judge prefers, round after round.

    Answers are sums, checked exactly; each round the policy learns from the best of 4 by the judge.
    """
    rng = np.random.default_rng(seed)
    right, length, history = 0.4, 100.0, []
    for _ in range(rounds):
        gold = (rng.random(N) < right).astype(float)
        lengths = np.maximum(10, rng.normal(length, 20, N))
        history.append(JudgedRound(judged(gold, lengths, loves_length, rng), gold, lengths))
        tries = (rng.random((400, 4)) < right).astype(float), np.maximum(10, rng.normal(length, 20, (400, 4)))
        best = judged(*tries, loves_length, rng).argmax(axis=1)
        right = float(np.clip(tries[0][np.arange(400), best].mean(), 0, 0.97))
        length = float(tries[1][np.arange(400), best].mean())
    return history


def judged(gold: FloatArray, length: FloatArray, loves_length: bool, rng: np.random.Generator) -> FloatArray:
    liked = length / 20 if loves_length else 2 * gold
    marks: FloatArray = liked + rng.normal(0, 0.3, gold.shape)
    return marks


def test_a_length_loving_judge_is_caught_by_the_third_round() -> None:
    found = [reward_hacking(best_of(seed, loves_length=True)[:3]) for seed in range(40)]
    caught = sum(any("learns to please the judge" in one for one in alarms) for alarms in found)
    print(f"\ncaught by the third round: {caught} of 40")
    assert caught >= 37  # in one case in forty gold seems to rise by chance
    assert sum(any("answers grew longer" in one for one in alarms) for alarms in found) >= 37


def test_a_fair_judge_is_left_alone() -> None:
    alarms = [reward_hacking(best_of(seed, loves_length=False)[: 2 + k]) for seed in range(50) for k in range(3)]
    assert sum(bool(found) for found in alarms) <= 4


def test_gold_that_is_noisier_than_the_judge_is_seldom_an_alarm() -> None:
    false_alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rounds = []
        for quality in (0.0, 0.3, 0.6):
            truth = rng.normal(quality, 1, N)
            rounds.append(JudgedRound(truth + rng.normal(0, 0.2, N), truth + rng.normal(0, 1, N), np.full(N, 50.0)))
        false_alarms += bool(reward_hacking(rounds))
    print(f"\nfalse alarms: {false_alarms} of 100")
    assert false_alarms <= 8


def test_scores_that_are_missing_do_not_count_and_too_few_say_nothing() -> None:
    first, *_, last = best_of(0, loves_length=True)
    last.judge[9:] = np.nan
    assert reward_hacking([first, last]) == []
    assert reward_hacking([first]) == []
    with pytest.raises(UsageError, match="same prompts"):
        reward_hacking([first, JudgedRound(last.judge[:5], last.gold[:5], last.length[:5])])
