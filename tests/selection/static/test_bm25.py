"""BM25 against the formula, word by word and turn by turn, and on rows of a planted subject."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, FlywheelError, UsageError
from dataflywheel.selection import taking_turns
from dataflywheel.selection.order import rejections
from dataflywheel.selection.static.bm25 import BM25
from tests.selection.columns import generator

WORDS = [f"word{i}" for i in range(40)]


def columns(pool: list[str], target: list[str] | None = None, slices: list[str] | None = None) -> Columns:
    values = {"row.text": np.array(pool, dtype=object)}
    if slices is not None:
        values["row.slice"] = np.array(slices, dtype=object)
    ids = np.array([f"r{i:06d}" for i in range(len(pool))])
    return Columns(ids, values, None if target is None else columns(target, slices=slices))


def by_hand(pool: list[str], query: str, k1: float, b: float) -> list[float]:
    """The score of each text, from its words and the formula alone."""
    counted = [Counter(text.split()) for text in pool]
    mean = sum(c.total() for c in counted) / len(pool)
    scores = []
    for row in counted:
        score = 0.0
        for word in (word for word in query.split() if row[word]):
            having = sum(word in other for other in counted)
            rarity = math.log(1 + (len(pool) - having + 0.5) / (having + 0.5))
            score += rarity * row[word] * (k1 + 1) / (row[word] + k1 * (1 - b + b * row.total() / mean))
        scores.append(score / len(query.split()))
    return scores


def sentences(n: int, seed: int) -> list[str]:
    rng = generator(seed)
    common = 1 / np.arange(1, 41)
    return [" ".join(rng.choice(WORDS, rng.integers(2, 25), p=common / common.sum())) for _ in range(n)]


def naive(scores: Any, budget: int, lose_turn: bool) -> list[int]:
    lists = [sorted(range(scores.shape[1]), key=lambda i, row=row: (-row[i], i)) for row in scores]
    picked: list[int] = []
    while len(picked) < budget:
        for mine in lists:
            if not lose_turn:
                mine[:] = [i for i in mine if i not in picked]
            if len(picked) < budget and (row := mine.pop(0)) not in picked:
                picked.append(row)
    return picked


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.0, 0.75), (1.2, 0.0), (2.0, 1.0)])
def test_scores_are_those_of_the_formula(k1: float, b: float) -> None:
    pool, query = sentences(60, 1), "word3 word3 word17 word30 unknown"
    found = BM25(k1=k1, b=b).rank(columns(pool, [query], ["only"]), 60, generator())
    expected = np.array(by_hand(pool, query, k1, b))
    assert found.gain == pytest.approx(expected[found.order], rel=1e-5)
    assert sorted(found.order.tolist()) == list(range(60))
    assert (np.diff(found.gain) <= 0).all()


@pytest.mark.parametrize("takers", ["slice", "row", None])
@pytest.mark.parametrize("when_taken", ["lose_turn", "next_best"])
def test_turns_equal_brute_force(takers: Any, when_taken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, target = sentences(70, 2), sentences(9, 3)
    slices = [f"slice-{i % 3}" for i in range(9)]
    selector = BM25(takers=takers, when_taken=when_taken)
    found = selector.rank(columns(pool, target, slices), 40, generator())
    scores = np.array([by_hand(pool, query, 1.5, 0.75) for query in target])
    if takers != "row":
        scores = np.stack([scores[i::3].max(axis=0) for i in range(3)])
        assert sum(found.notes["taken_by"].values()) == 40
    # Equal scores by the formula differ in their last bits by hand.
    assert found.order.tolist() == naive(scores.round(5), 40, when_taken == "lose_turn")
    monkeypatch.setattr(taking_turns, "CELLS", 50)
    again = selector.rank(columns(pool, target, slices), 40, generator())
    assert again.order.tolist() == found.order.tolist()


def test_rows_of_the_target_s_subject_come_before_longer_ones_of_another() -> None:
    rng = generator(4)
    sums = [f"add {rng.integers(99)} apples to the {rng.integers(99)} pears and count them" for _ in range(30)]
    talks = [f"the history of the town and of the river number {i} " * 3 for i in range(70)]
    given = columns([*talks, *sums], ["count the apples and pears", "add the pears"])
    found = BM25().rank(given, 30, generator())
    assert (found.order[:30] >= 70).all()


def test_common_words_count_less_than_rare_ones() -> None:
    pool = ["the the the the", "the proof", *["the sea"] * 20]
    assert BM25().rank(columns(pool, ["the proof"]), 3, generator()).order[0] == 1


def test_a_target_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="target"):
        BM25().rank(columns(["some words"]), 1, generator())
    with pytest.raises(FlywheelError, match="no row of the target has a word"):
        BM25().rank(columns(["some words"], ["", " ..."]), 1, generator())


def test_a_row_without_words_is_turned_away_and_counts_in_no_average() -> None:
    pool = ["the proof of it", "...", "", "the sea"]
    found = BM25().rank(columns(pool, ["the proof"], ["only"]), 4, generator())
    assert found.order.tolist() == [0, 3]
    assert {row: why.reason for row, why in rejections(found).items()} == dict.fromkeys((1, 2), "it has no word")
    expected = by_hand(["the proof of it", "the sea"], "the proof", 1.5, 0.75)
    assert found.gain == pytest.approx(expected, rel=1e-5)
    assert (found.notes["eligible"], found.notes["not_measured"]) == (4, 0)


def test_no_two_words_are_taken_for_one() -> None:
    """More words than 16 bits tell apart: of 100,000 rows each with a word of its own, the query's is found."""
    pool = [f"w{i}x" for i in range(100_000)]
    found = BM25(takers="row").rank(columns(pool, ["w77777x", "w12x"]), 2, generator())
    assert sorted(found.order[:2].tolist()) == [12, 77777]
    assert (found.gain[2:] == 0).all()
