"""Each measure moves as it must on planted copies, paraphrases, fresh texts and a writer that says one thing."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from dataflywheel.evolution.iteration.coverage import Coverage, coverage

WORDS = [f"word{i}" for i in range(400)]


def texts(seed: int, many: int = 40, words: list[str] = WORDS) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=30)) for _ in range(many)]


def measured(written: list[str], seeds: list[str]) -> Coverage:
    found = coverage(written, seeds)
    assert found is not None
    return found


SEEDS = texts(0)


def half_new(text: str, at: int) -> str:
    words = text.split()
    return " ".join([*words[:15], *(f"other{at}x{i}" for i in range(15))])


def test_copies_paraphrases_and_fresh_texts_come_in_that_order() -> None:
    copies = measured(SEEDS, SEEDS)
    between = measured([half_new(text, at) for at, text in enumerate(SEEDS)], SEEDS)
    fresh = measured(texts(1, words=[f"fresh{i}" for i in range(400)]), SEEDS)
    assert (copies.new, copies.distance) == (0, pytest.approx(0, abs=1e-12))
    assert 0.3 < between.new < 0.7
    assert copies.distance < between.distance < fresh.distance
    assert (fresh.new, fresh.distance) == (1, 1)


def test_a_writer_that_says_one_thing_is_seen() -> None:
    one = texts(2, many=1) * 20
    assert measured(one, SEEDS).shared == 1
    assert measured(texts(3), SEEDS).shared < 0.05


def test_distances_agree_with_an_independent_computation() -> None:
    written = [half_new(text, at) for at, text in enumerate(SEEDS)]
    count = CountVectorizer(token_pattern=r"\S+").fit([*written, *SEEDS])
    nearest = cosine_similarity(count.transform(written), count.transform(SEEDS)).max(axis=1)
    found = measured(written, SEEDS)
    assert found.distance == pytest.approx(float(np.mean(1 - nearest)))
    among = cosine_similarity(count.transform(SEEDS))
    np.fill_diagonal(among, -1)
    assert found.seeds_distance == pytest.approx(float(np.mean(1 - among.max(axis=1))))


@pytest.mark.parametrize("odd", ["", "   ", "!?", "a", "名前を教えて"])
def test_texts_of_no_or_few_words_are_measured(odd: str) -> None:
    found = measured([odd] * 8 + SEEDS, SEEDS)
    assert all(0 <= value <= 1 for value in vars(found).values())


def test_too_few_say_nothing() -> None:
    assert coverage(SEEDS[:7], SEEDS) is None
    assert coverage(SEEDS, SEEDS[:1] * 40) is None
