"""A number of a question taken out: which ones may be, and the question with a letter in its place."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from dataflywheel.signals.wording.numbers import numbers

LETTERS = "xynzk"
"""What an unknown is called: the first that the question does not use."""
NUMBERS = "numbers changed"
LOST = "the unknown was lost"
GIVEN_AWAY = "the number was given away"
_DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?")


class Taken(NamedTuple):
    """A question with a letter in the place of a number."""

    question: str
    unknown: str
    value: str
    """The number that was there."""


class Place(NamedTuple):
    """Where a number stands that may be taken out."""

    start: int
    end: int
    value: str


def places_of(question: str, worked: str = "") -> list[Place]:
    """The numbers in digits that may be taken out of a question; where `worked`, a solution or an equation, holds
    numbers, only those that it works with: nothing follows about the others from the answer.

    >>> [place.value for place in places_of("Ann has 3 cats, 1,200 bees and half a cake since 9 am.")]
    ['3', '1200']
    >>> [place.value for place in places_of("Of 26 cookies and 17 tarts he ate 9 cookies.", "( 26.0 - 9.0 )")]
    ['26', '9']
    """
    used = {Fraction(found.replace(",", "")) for found in _DIGITS.findall(worked)}
    found = []
    for number in numbers(question):
        digits = _DIGITS.match(question, number.start)
        plain = digits[0].replace(",", "") if digits else ""
        if not digits or not number.sure or number.unit == "th" or not _is(number.value, plain):
            continue
        if question[digits.end() : digits.end() + 1].isalpha():
            continue  # `5kg` would become `xkg`
        if not used or Fraction(plain) in used:
            found.append(Place(digits.start(), digits.end(), number.value))
    return found


def taken(question: str, place: Place) -> Taken | None:
    """The question without that number; None where it uses all letters itself."""
    words = {word.casefold() for word in re.findall(r"\w+", question)}
    unknown = next((letter for letter in LETTERS if letter not in words), "")
    if not unknown:
        return None
    return Taken(f"{question[: place.start]}{unknown}{question[place.end :]}", unknown, place.value)


def values_of(text: str) -> Counter[str]:
    """The numbers of a text by value, in digits or words.

    >>> sorted(values_of("two cats, 2 dogs and 1,000 bees").items())
    [('1000', 1), ('2', 2)]
    """
    return Counter(number.value for number in numbers(text) if number.sure)


def holds_letter(text: str, letter: str) -> bool:
    """Whether a letter stands in a text as a word of its own, or before a unit: `x`, `x%`."""
    return re.search(rf"(?<![^\W_]){letter}(?![^\W_])", text, re.IGNORECASE) is not None


def fault_of(statement: str, of: Taken, answer: str) -> str:
    """Why a statement does not tell a question without its number, together with its answer; "" where it does."""
    if not holds_letter(statement, of.unknown):
        return LOST
    wanted, there = values_of(of.question) + values_of(answer), values_of(statement)
    if of.value in there and of.value not in wanted:
        return GIVEN_AWAY
    return "" if set(wanted) == set(there) else NUMBERS


def _is(value: str, digits: str) -> bool:
    try:
        return Fraction(value) == Fraction(digits)
    except ValueError:
        return False
