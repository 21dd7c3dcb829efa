from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.signals.wording.sentences import fold, sentences, versions, words


def test_titles_initials_and_list_numbers_end_no_sentence() -> None:
    text = 'Mr. J. Ray left. "Why?" asked Ann!\n1. First\n2. Second'
    assert sentences(text) == ["Mr. J. Ray left.", '"Why?', "asked Ann!", "1. First", "2. Second"]


def test_each_sentence_finds_its_version() -> None:
    before = ["The cat sat on the mat.", "It rains.", "Nobody came at all."]
    after = ["It rains.", "The black cat sat on the mat."]
    assert versions(before, after) == [(before[0], after[1]), (before[1], after[0])]


@given(st.text(max_size=200))
def test_sentences_hold_all_words_in_order(text: str) -> None:
    kept = [fold(word.text) for sentence in sentences(text) for word in words(sentence)]
    assert "".join(kept) == "".join(fold(word.text) for word in words(text))
