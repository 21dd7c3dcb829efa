from __future__ import annotations

import time
from collections import Counter

import pytest

from dataflywheel.signals.wording.marked import choices, code, links, options, prose


def test_code_is_taken_out_of_its_fences() -> None:
    text = "Use `a` twice: `a`.\n```py\n\nx = 1  \n\n```\n~~~\ny = 2\n~~~\nand ```"
    assert code(text) == Counter({"a": 2, "x = 1": 1, "y = 2": 1})
    assert "x = 1" not in prose(text)
    assert "twice" in prose(text)


def test_an_open_fence_reaches_to_the_end() -> None:
    assert code("Now\n```\nx = 1\ny = 2") == Counter({"x = 1\ny = 2": 1})


def test_links_end_before_the_punctuation_of_the_sentence() -> None:
    assert links("(https://a.example/b?c=d), www.e.example.") == Counter(["https://a.example/b?c=d", "www.e.example"])


@pytest.mark.parametrize("text", ["A) red one\nB) blue", "(a) red one (b) blue", "A. red one B. blue"])
def test_options_of_every_style(text: str) -> None:
    assert options(text) == {"A": {"red", "one"}, "B": {"blue"}}


def test_one_option_is_none() -> None:
    assert options("A. Smith wrote it") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is (C).", ["C"]),
        ("answer: d", ["D"]),
        ("The correct option is B because of it", ["B"]),
        ("B", ["B"]),
        ("The answer is a cat", []),
        ("I choose Greece", []),
        ("D'oh", []),
    ],
)
def test_the_chosen_letter(text: str, expected: list[str]) -> None:
    assert list(choices(text).elements()) == expected


@pytest.mark.parametrize(
    "piece", ["`", "```\n", "~~~", "A) ", "answer ", "answer is (", " ", "www.", "\n", "- a\n", "1,"]
)
def test_marks_are_found_in_a_time_that_grows_as_the_text(piece: str) -> None:
    began = time.process_time()
    for size in (10**4, 10**5, 10**6):
        text = f"The answer {(piece * size)[:size]}"
        for rule in (code, links, prose, options, choices):
            rule(text)
    assert time.process_time() - began < 8
