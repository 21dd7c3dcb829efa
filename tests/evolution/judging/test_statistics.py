"""Agreement, kappa, win rates and baselines against brute force and scikit-learn."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from dataflywheel.contracts import Case, Judgement, UsageError, Verdict
from dataflywheel.evolution.judging.agreement import agreement, cohen_kappa, fleiss_kappa
from dataflywheel.evolution.judging.baselines import baselines, coin, longer_wins, majority
from dataflywheel.evolution.judging.win_rate import steadiness, win_rate

F, S, T, X = Verdict.FIRST, Verdict.SECOND, Verdict.TIE, Verdict.INVALID
labels = st.lists(st.tuples(st.sampled_from([F, S, T, X]), st.sampled_from([F, S, T])), min_size=2, max_size=40)


@given(labels)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[Verdict, Verdict]]) -> None:
    a, b = zip(*pairs, strict=True)
    ours = cohen_kappa(a, b)
    # scikit-learn warns and gives NaN, as we do, where both sides know one label only.
    if len(set(a) | set(b)) > 1:
        theirs = cohen_kappa_score([str(v) for v in a], [str(v) for v in b])
        assert ours == pytest.approx(theirs, nan_ok=True)
        found = agreement(a, b, range(len(a)), resamples=10)["kappa"]["value"]
        assert found == pytest.approx(ours, nan_ok=True)
    else:
        assert math.isnan(ours)


@given(labels)
def test_agreement_by_policy(pairs: list[tuple[Verdict, Verdict]]) -> None:
    judge, gold = zip(*pairs, strict=True)
    wrong, tie, dropped = (
        agreement(judge, gold, range(len(judge)), policy, resamples=10) for policy in ("wrong", "tie", "dropped")
    )
    readable = [(a, b) for a, b in pairs if a != X]
    assert wrong["agreement"]["value"] == pytest.approx(np.mean([a == b for a, b in pairs]))
    assert tie["agreement"]["value"] == pytest.approx(np.mean([(T if a == X else a) == b for a, b in pairs]))
    assert dropped["agreement"]["n"] == len(readable)
    if readable:
        assert dropped["agreement"]["value"] == pytest.approx(np.mean([a == b for a, b in readable]))
    decided = [(a, b) for a, b in pairs if T not in (a, b)]
    assert wrong["without_ties"]["n"] == len(decided)
    if decided:
        assert wrong["without_ties"]["value"] == pytest.approx(np.mean([a == b for a, b in decided]))
    else:
        assert math.isnan(wrong["without_ties"]["value"])


def test_the_interval_knows_of_repeated_prompts() -> None:
    rng = np.random.default_rng(0)
    gold = [F if flag else S for flag in rng.random(40) < 0.5]
    judge = [g if right else (S if g == F else F) for g, right in zip(gold, rng.random(40) < 0.7, strict=True)]
    alone = agreement(judge, gold, range(40))["agreement"]
    ten_times = agreement(judge * 10, gold * 10, list(range(40)) * 10)["agreement"]
    naive = agreement(judge * 10, gold * 10, range(400))["agreement"]
    assert ten_times["value"] == alone["value"]
    assert ten_times["high"] - ten_times["low"] == pytest.approx(alone["high"] - alone["low"], abs=0.01)
    assert naive["high"] - naive["low"] < 0.5 * (alone["high"] - alone["low"])
    # The normal approximation, independently.
    p = alone["value"]
    assert alone["high"] - alone["low"] == pytest.approx(2 * 1.96 * math.sqrt(p * (1 - p) / 40), rel=0.15)


def test_a_pair_without_gold_is_left_out_and_lengths_must_match() -> None:
    found = agreement([F, X, S], [F, X, X], "abc")
    assert found["agreement"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
    assert math.isnan(agreement([], [], [])["agreement"]["value"])
    with pytest.raises(UsageError, match="not of one length"):
        agreement([F], [F, S], "ab")


def fleiss_by_hand(ratings: list[list[int]]) -> float:
    """From the definition: agreeing pairs of raters an item, and of all ratings by chance, in exact fractions."""
    observed = Fraction(0)
    for item in ratings:
        pairs = [(a, b) for i, a in enumerate(item) for j, b in enumerate(item) if i != j]
        observed += Fraction(sum(a == b for a, b in pairs), len(pairs))
    observed /= len(ratings)
    flat = [r for item in ratings for r in item]
    chance = sum(Fraction(flat.count(k), len(flat)) ** 2 for k in set(flat))
    return float((observed - chance) / (1 - chance)) if chance != 1 else math.nan


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=20))
def test_fleiss_kappa_is_its_definition(ratings: list[list[int]]) -> None:
    counts = np.array([[item.count(k) for k in range(4)] for item in ratings], dtype=float)
    assert fleiss_kappa(counts) == pytest.approx(fleiss_by_hand(ratings), nan_ok=True)


def test_fleiss_kappa_wants_as_many_raters_everywhere() -> None:
    for counts in ([[2.0, 1.0], [1.0, 1.0]], [[1.0, 0.0]]):
        with pytest.raises(UsageError, match="same number of raters"):
            fleiss_kappa(np.array(counts))


def test_win_rate_counts_ties_half_and_leaves_out_the_unreadable() -> None:
    found = win_rate([F, F, T, S, X], "abcde")
    assert found["value"] == pytest.approx(2.5 / 4)
    assert found["n"] == 4
    assert found["low"] < 0.3
    assert found["high"] == 1
    assert math.isnan(win_rate([X, X], "ab")["value"])
    assert win_rate([F, S, F], "aab")["n"] == 2


def test_steadiness() -> None:
    def said(*orders: Verdict) -> Judgement:
        return Judgement("", (math.nan, math.nan), orders)

    # The second pair follows the place: the answer shown first wins both times.
    found = steadiness([said(F, F), said(F, S), said(T, T), said(F, X)])
    assert found["consistency"] == pytest.approx(2 / 3)
    assert found["first_position"] == pytest.approx(4 / 5)
    assert found["invalid"] == pytest.approx(1 / 8)
    always_first = steadiness([said(F, S)] * 3)
    assert always_first == {"consistency": 0, "first_position": 1, "invalid": 0}
    assert all(math.isnan(v) for v in steadiness([]).values())


def test_baselines() -> None:
    cases = [Case(str(i), "p", answers) for i, answers in enumerate([("aa", "b"), ("a", "bb"), ("a", "b")])]
    assert longer_wins(cases) == [F, S, T]
    assert majority([S, F, S, X]) == [S] * 4
    assert majority([X]) == [X]
    rng = np.random.default_rng(1)
    gold = [F, S, S, T]
    thrown = [np.mean([v == g for v, g in zip(rng.choice([F, S], 4), gold, strict=True)]) for _ in range(4000)]
    assert coin(gold)["agreement"] == pytest.approx(float(np.mean(thrown)), abs=0.02)
    found = baselines(cases, [F, F, T], "abc", resamples=50)
    assert found["longer"]["agreement"]["value"] == pytest.approx(2 / 3)
    assert found["longer"]["without_ties"]["value"] == pytest.approx(1 / 2)
    assert found["majority"]["agreement"]["value"] == pytest.approx(2 / 3)
    assert found["coin"]["kappa"]["value"] == 0
