"""Rules on long texts of what made them slow: their time grows as the text, not as its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dataflywheel.proposing.gates.invariants import INVARIANTS
from dataflywheel.signals.safety.personal_data_patterns import find
from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.negation import changed, negations
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.numbers_compared import number_tokens
from dataflywheel.signals.wording.scope import values
from dataflywheel.signals.wording.scope_abroad import ABROAD
from dataflywheel.signals.wording.sentences import sentences
from dataflywheel.signals.wording.sides import Sides
from dataflywheel.synthesis.knowledge.chunks import chunks, locate
from dataflywheel.synthesis.knowledge.sections import sections

UNITS = (
    "7",
    "-",
    "1,",
    "000,",
    "Ann Ray ",
    "\n",
    "hundred ",
    "1. do\n",
    "a. ",
    "f(x)\n",
    "neither ",
    "1-",
    " \n",
    "half past ",
    "の",
)
RULES: dict[str, Callable[[str], object]] = {
    "numbers": numbers,
    "sentences": sentences,
    "names": names,
    "negations": negations,
    "scope": lambda text: (ABROAD["fr"].only.findall(text), values(text, ABROAD["ja"])),
    "sections": sections,
    "chunks": lambda text: chunks(text, 4000, 400),
    "locate": lambda text: locate(f"{text[:500]}z", text),
    "personal data": find,
}
WHOLE = 40.0
"""Seconds for 10^6 characters on a loaded machine; what is quadratic takes hours."""
GROWTH = 60.0
"""Times that ten times the text may take; what is quadratic takes a hundred."""


def seconds(rule: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    rule(text)
    return time.process_time() - started


@pytest.mark.parametrize("name", RULES)
def test_ten_times_the_text_takes_far_less_than_a_hundred_times_as_long(name: str) -> None:
    rule = RULES[name]
    for unit in UNITS:
        small, large = ((unit * (size // len(unit) + 1))[:size] for size in (10_000, 100_000))
        short = max(seconds(rule, small), 0.05)
        assert seconds(rule, large) < GROWTH * short, unit


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_megabyte_is_read_in_seconds(name: str) -> None:
    for unit in UNITS:
        assert seconds(RULES[name], (unit * (1_000_000 // len(unit) + 1))[:1_000_000]) < WHOLE, unit


@pytest.mark.parametrize("name", INVARIANTS)
def test_twenty_thousand_words_that_changed_places_are_compared_in_seconds(name: str) -> None:
    before = " ".join(f"Ann{i % 97} has {i % 89} pears." for i in range(3000))
    after = " ".join(f"Ann{i % 97} has {i % 83} pears." for i in range(3000, 0, -1))
    assert seconds(lambda text: INVARIANTS[name](Sides(before, text)), after) < 20


def test_long_texts_without_versions_are_compared_in_seconds() -> None:
    for unit in ("1. do\n", "a. ", "f(x)\n", "1 2 3 "):
        text = unit * (20_000 // len(unit))
        assert seconds(lambda other: changed(sentences(text), sentences(other), True), f"x {text}") < 20, unit  # noqa: B023
        assert seconds(lambda other: missing(names(text), other), text[::-1]) < 20, unit  # noqa: B023


def test_one_long_word_and_a_long_row_of_number_words_are_compared_in_seconds() -> None:
    word = f"She met A{'a' * 200_000}."
    assert seconds(lambda text: missing(names(text), text), word) < 10
    assert seconds(number_tokens, "twenty-" * 10_000) < 10
