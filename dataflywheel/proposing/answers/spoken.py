"""Answers as they are spoken: numbers in words, times of the day, quantities in several units."""

from __future__ import annotations

import re
from fractions import Fraction

from dataflywheel.proposing.answers.node import Node
from dataflywheel.proposing.answers.units import Unit, counts_nothing, unit_of
from dataflywheel.proposing.answers.values import Quantity, Value, Words
from dataflywheel.signals.wording.dates import moments
from dataflywheel.signals.wording.numbers import SPELLED, spelled
from dataflywheel.signals.wording.parts import parts

_PIECE = r"(\d{1,9}(?:\.\d{1,9})?)\s?([A-Za-z]{1,12}\.?)"
_SEVERAL = re.compile(rf"{_PIECE}(?:,? and |, ?| ){_PIECE}(?:(?:,? and |, ?| ){_PIECE})?")
_HALF_OF_DAY = re.compile(r"[ap]\.?\s?m\b\.?", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(?:percent|per cent|pct|%)", re.IGNORECASE)
AFTERNOON = "13:00"


def composed(text: str) -> Value | None:
    """The value of a text that is all of it a time of the day, a number in words or a quantity in several units.

    >>> composed("3 p.m.") == composed("3:00 PM"), composed("twenty-five apples").node.value
    (True, Fraction(25, 1))
    >>> composed("2 hours and 30 minutes").node.value, composed("one or two"), composed("2 minutes and 3 hours")
    (Fraction(9000, 1), None, None)
    """
    return _time(text) or _in_words(text) or _several_units(text)


def _time(text: str) -> Value | None:
    if ":" not in text and _HALF_OF_DAY.search(text) is None:
        return None
    found = moments(text)
    if len(found) != 1 or (found[0].unit, found[0].start) != ("time", 0) or text[found[0].end :].strip(" ."):
        return None
    # `3:30` may be either half of the day, or no time at all.
    if _HALF_OF_DAY.search(text) is None and found[0].value < AFTERNOON:
        return None
    return Words(f"time {found[0].value}")


def _in_words(text: str) -> Value | None:
    share = [n for n in parts(text) if n.start == 0 and n.end == len(text)]
    if share:
        return Quantity(_number(Fraction(share[0].value)))
    match = SPELLED.match(text)
    if match is None:
        return None
    found = spelled(text, match)
    rest = text[found[-1].end :] if found else ""
    if len(found) != 1 or found[0].unit == "time" or (rest and not rest[0].isspace()):
        return None
    if _PERCENT.fullmatch(rest):
        return Quantity(_number(Fraction(found[0].value) / 100), percent=True)
    unit = unit_of(rest) if rest.strip() else None
    if rest.strip() and unit is None and not counts_nothing(rest.strip()):
        return None
    return Quantity(_number(Fraction(found[0].value)), unit)


def _several_units(text: str) -> Value | None:
    """A sum of quantities of one dimension, the larger units first: `5 feet 6 inches`."""
    match = _SEVERAL.fullmatch(text)
    if match is None:
        return None
    units = [unit_of(name) for name in match.groups()[1::2] if name]
    known = [unit for unit in units if unit is not None]
    if len(known) < len(units) or len({unit.dimensions for unit in known}) > 1:
        return None
    sizes = [unit.factor for unit in known]
    if sizes != sorted(set(sizes), reverse=True):
        return None
    amounts = [Fraction(amount) for amount in match.groups()[::2] if amount]
    total = sum((a * size for a, size in zip(amounts, sizes, strict=True)), Fraction(0))
    return Quantity(_number(total), Unit(Fraction(1), known[0].dimensions))


def _number(value: Fraction) -> Node:
    return Node("number", value=value)
