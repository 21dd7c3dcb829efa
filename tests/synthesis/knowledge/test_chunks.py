"""Parts of documents: together they hold all sections, none is too long, quotations are found word for word."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.synthesis.knowledge.chunks import chunks, locate
from dataflywheel.synthesis.knowledge.sections import sections

PARAGRAPHS = st.lists(st.text(alphabet="abc. -:\n", min_size=1, max_size=60), min_size=1, max_size=8)


@given(PARAGRAPHS, st.integers(5, 80), st.integers(0, 60))
def test_parts_hold_every_section_and_are_short_enough(texts: list[str], longest: int, shortest: int) -> None:
    text = "\n\n".join(texts)
    found = chunks(text, longest, shortest)
    assert all(end - start <= longest for start, end in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    covered = {i for start, end in found for i in range(start, end)}
    for one in sections(text):
        assert all(i in covered for i in range(one.start, one.end) if not text[i].isspace())


def test_neighbours_are_joined_until_they_are_long_enough() -> None:
    text = "\n\n".join(f"Number {i} stands here." for i in range(10))
    assert len(chunks(text, 1000)) == 10
    assert len(chunks(text, 1000, 50)) == 4
    assert [text[slice(*s)].count("Number") for s in chunks(text, 1000, 50)] == [3, 3, 3, 1]


@given(st.lists(st.text(alphabet="ab.*(", min_size=1, max_size=4), min_size=1, max_size=6), st.data())
def test_a_quotation_is_found_whatever_its_white_space(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    span = locate("\n  ".join(words[start:end]), text)
    assert span is not None
    assert text[slice(*span)] == " ".join(words[start:end])


def test_what_is_not_there_is_not_found() -> None:
    assert locate("the cat", "the\ncats, then cat the") is not None  # the beginning of a word is no other word's end
    assert locate("the dog", "the cat and dog") is None
    assert locate("  ", "anything") is None
    assert locate("one", "one two one", 4) == (8, 11)
