"""A document's sections: kinds, headings, terms and places."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.synthesis.knowledge.sections import sections, sentences

PAGE = """format(value, spec='') -> str

Return value as text. See e.g. the manual, i.e. all of it.  spec is a word.

Options
-------
The options follow:

    width: how wide it is
        at the most
    fill - what it is filled with

Arguments:
- value: anything
- spec: a short text
Returns:

>>> format(3)
'3'
"""


def test_every_kind_of_section_is_told_apart() -> None:
    found = [(s.kind, s.heading, s.term, PAGE[s.start : s.end]) for s in sections(PAGE)]
    assert [(kind, heading, term) for kind, heading, term, _ in found] == [
        ("signature", "", ""),
        ("paragraph", "", ""),
        ("paragraph", "Options", ""),
        ("item", "Options", "width"),
        ("item", "Options", "fill"),
        ("item", "Arguments", "value"),
        ("item", "Arguments", "spec"),
        ("example", "Arguments", ""),
    ]
    texts = [text for *_, text in found]
    assert texts[3] == "width: how wide it is\n        at the most"
    assert texts[6] == "- spec: a short text"
    assert texts[7] == ">>> format(3)\n'3'"


def test_abbreviations_end_no_sentence() -> None:
    one = next(s for s in sections(PAGE) if s.kind == "paragraph")
    assert [PAGE[a:b] for a, b in one.sentences] == [
        "Return value as text.",
        "See e.g. the manual, i.e. all of it.",
        "spec is a word.",
    ]


@given(st.text(alphabet="ab. :-*\n\t>1A(=)`#", max_size=120))
def test_places_are_in_order_and_nothing_of_weight_is_lost(text: str) -> None:
    found = sections(text)
    inside = [False] * len(text)
    for one in found:
        assert 0 <= one.start <= one.end <= len(text)
        assert all(one.start <= a < b <= one.end for a, b in one.sentences)
        inside[one.start : one.end] = [True] * (one.end - one.start)
    assert [s.start for s in found] == sorted(s.start for s in found)
    outside = "".join(c for c, covered in zip(text, inside, strict=True) if not covered)
    headings = sum(len(line) for line in text.split("\n") if len(line.split()) <= 12)
    assert len("".join(outside.split())) <= headings


@given(st.text(alphabet="ab.?! \nA'1", max_size=80))
def test_sentences_hold_all_but_white_space(text: str) -> None:
    found = sentences(text, 0, len(text))
    assert "".join(text[a:b] for a, b in found).split() == "".join(f"{text[a:b]}" for a, b in found).split()
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())


@pytest.mark.parametrize(
    "text", [" " * 20_000 + "x", "\n \t" * 8_000 + "x", "f(" * 8_000, "a b c d: " * 4_000, ". " * 9_000]
)
def test_odd_texts_take_no_longer_than_others(text: str) -> None:
    started = time.process_time()
    sections(text)
    assert time.process_time() - started < 3
