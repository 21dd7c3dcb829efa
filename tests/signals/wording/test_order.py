from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.signals.wording.order import BREAK, Token, replaced, swapped


def tokens(text: str) -> list[Token]:
    return [
        BREAK if word == "." else Token("", word) if word.isdigit() else Token(word)
        for word in text.replace(".", " .").split()
    ]


def test_an_item_in_the_place_of_another_is_found() -> None:
    assert swapped(tokens("ann has 3 pears tom has 5 nuts"), tokens("ann has 5 pears tom has 3 nuts")) is not None
    assert swapped(tokens("3 1 4"), tokens("4 1 3")) is not None  # nothing says where they belong
    assert swapped(tokens("july 1883 3 june 1924"), tokens("july 3 1883 june 1924")) is not None


def test_what_moved_with_its_words_is_in_place() -> None:
    before = "ann has 3 pears. tom has 5 nuts."
    assert swapped(tokens(before), tokens("tom has 5 nuts. ann has 3 pears.")) is None
    assert swapped(tokens(before), tokens("ann now has 3 pears. and tom has 5 nuts.")) is None


def test_other_items_are_for_others_to_find() -> None:
    assert swapped(tokens("ann has 3 pears"), tokens("ann has 4 pears")) is None


def test_an_item_replaced_in_a_version_of_its_sentence_is_found() -> None:
    before = [tokens("ann has 3 red pears"), tokens("tom has 5 nuts"), tokens("5 of all are bad")]
    assert replaced(before, [tokens("ann has 5 red pears"), *before[1:]]) == ("5", "3")
    assert replaced(before, [tokens("ann has 9 red pears"), *before[1:]]) == ("9", "3")
    assert replaced(before, list(reversed(before))) is None
    assert replaced(before, [tokens("something else with 9 words in it"), *before[1:]]) is None


@given(st.lists(st.sampled_from(["a", "b", "c", "1", "2", "3", "."]), max_size=20))
def test_a_text_is_in_its_own_order(words: list[str]) -> None:
    own = tokens(" ".join(words))
    assert swapped(own, own) is None
    assert replaced([own], [own]) is None
