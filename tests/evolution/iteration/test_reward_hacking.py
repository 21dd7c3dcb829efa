"""The alarm on a judge that loves length, and silence on a fair one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataflywheel.contracts import FloatArray
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.iteration.reward_hacking import JudgedRound, reward_hacking

N = 80
GOLD = 200


def gold_rows(right: float, rng: np.random.Generator) -> RowScores:
    """Exact match on rows of unequal difficulty, the same in every round."""
    easy = np.linspace(-0.3, 0.3, GOLD)
    value = (rng.random(GOLD) < np.clip(right + easy, 0, 1)).astype(float)
    ids = np.array([f"{i:03d}" for i in range(GOLD)], dtype=object)
    return RowScores(ids, np.full(GOLD, "all", dtype=object), value, np.ones(GOLD))


def best_of(seed: int, loves_length: bool, rounds: int = 4) -> list[JudgedRound]:
    """A policy over answers (is it right, how long) that moves to what the judge prefers, round after round.

    Each round answers prompts of its own, and the policy learns from the best of 4 by the judge.
    """
    rng = np.random.default_rng(seed)
    right, length, history = 0.4, 100.0, []
    for _ in range(rounds):
        correct = (rng.random(N) < right).astype(float)
        lengths = np.maximum(10, rng.normal(length, 20, N))
        history.append(JudgedRound(judged(correct, lengths, loves_length, rng), lengths, gold_rows(right, rng)))
        tries = (rng.random((400, 4)) < right).astype(float), np.maximum(10, rng.normal(length, 20, (400, 4)))
        best = judged(*tries, loves_length, rng).argmax(axis=1)
        right = float(np.clip(tries[0][np.arange(400), best].mean(), 0, 0.97))
        length = float(tries[1][np.arange(400), best].mean())
    return history


def judged(correct: FloatArray, length: FloatArray, loves_length: bool, rng: np.random.Generator) -> FloatArray:
    liked = length / 20 if loves_length else 2 * correct
    marks: FloatArray = liked + rng.normal(0, 0.3, correct.shape)
    return marks


def test_a_length_loving_judge_is_caught_by_the_third_round() -> None:
    found = [reward_hacking(best_of(seed, loves_length=True)[:3], "exact_match") for seed in range(40)]
    caught = sum(any("learns to please the judge" in one for one in alarms) for alarms in found)
    print(f"\ncaught by the third round: {caught} of 40")
    assert caught >= 36  # in one case in forty gold seems to rise by chance
    assert sum(any("answers grew longer" in one for one in alarms) for alarms in found) >= 36


def test_a_fair_judge_is_left_alone() -> None:
    histories = [best_of(seed, loves_length=False) for seed in range(25)]
    alarms = [reward_hacking(history[: 2 + k], "exact_match") for history in histories for k in range(3)]
    print(f"\nfalse alarms: {sum(bool(found) for found in alarms)} of {len(alarms)}")
    assert sum(bool(found) for found in alarms) <= 2


def test_gold_that_gets_worse_is_an_alarm_and_a_loss_that_falls_is_better_gold() -> None:
    rng = np.random.default_rng(1)
    ids, all_of_one = np.array([f"{i}" for i in range(60)], dtype=object), np.full(60, "a", dtype=object)
    level = rng.normal(3, 0.5, 60)

    def one(judge: float, loss: float) -> JudgedRound:
        gold = RowScores(ids, all_of_one, (level + loss) * 100, np.full(60, 100.0))
        return JudgedRound(rng.normal(judge, 0.5, 40), np.full(40, 50.0), gold)

    rose = [one(2.0, 0.0), one(3.0, 0.4)]
    (alarm,) = reward_hacking(rose, "bits_per_byte")
    assert "gold moved by -0.4 " in alarm
    assert "40 answers, 60 gold rows" in alarm
    assert reward_hacking([one(2.0, 0.4), one(3.0, 0.0)], "bits_per_byte") == []
    assert reward_hacking([one(3.0, 0.0), one(3.0, 0.4)], "bits_per_byte") == []


def test_answers_that_were_not_scored_do_not_count_and_too_few_say_nothing() -> None:
    first, *_, last = best_of(0, loves_length=True)
    assert reward_hacking([first, last], "exact_match")
    few = last.judge.copy()
    few[9:] = np.nan
    assert reward_hacking([first, replace(last, judge=few)], "exact_match") == []
    half = last.judge.copy()
    half[::2], longer = np.nan, np.where(np.arange(N) % 2, last.length, 1e9)
    (judge, drift) = reward_hacking([first, JudgedRound(half, longer, last.gold)], "exact_match")
    assert f"({N // 2} answers" in judge
    grown = last.length[1::2].mean() / first.length.mean() - 1
    assert f"longer by {grown:.0%}" in drift
    assert reward_hacking([first], "exact_match") == []
    assert reward_hacking([first, replace(last, judge=np.empty(0), length=np.empty(0))], "exact_match") == []


@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_the_unit_of_the_judge_does_not_matter(unit: float) -> None:
    rounds = best_of(3, loves_length=True)[:3]
    scaled = [replace(one, judge=one.judge * unit) for one in rounds]
    assert len(reward_hacking(scaled, "exact_match")) == len(reward_hacking(rounds, "exact_match")) == 2
