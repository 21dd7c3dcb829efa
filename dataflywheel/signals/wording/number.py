"""What a number of a text is, the words that spell numbers, and the unit behind one."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import listed
from dataflywheel.signals.wording.units import unit_name

SMALL = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
VALUES = {word: n for n, word in enumerate(SMALL)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
SCALES = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
VAGUE = {"one"}
"""Spelled out, these are more often no number: they may stand for one, and need not."""

UNIT = re.compile(r"[^\S\n]?(?P<sign>[%°℃℉€£¥¢](?:[CFcf]\b)?)|(?:[^\S\n]|-)?(?P<word>[^\W\d_]+(?:/h\b|\.m\b)?)")


class Number(NamedTuple):
    """A number: its value in plain notation, its unit ("" without one), where it stands, whether it is surely one."""

    value: str
    unit: str
    start: int
    end: int
    sure: bool = True


def exact(value: Fraction) -> str:
    """A fraction as a decimal where it has an end, else as it is.

    >>> exact(Fraction(3, 2)), exact(Fraction(2, 3))
    ('1.5', '2/3')
    """
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return (
        plain(Decimal(value.numerator) / value.denominator) if rest == 1 else f"{value.numerator}/{value.denominator}"
    )


def plain(value: Decimal) -> str:
    """A value without needless zeros.

    >>> plain(Decimal("1.50")), plain(Decimal("1E+3"))
    ('1.5', '1000')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else "0"


def unit_after(text: str, end: int) -> str:
    m = UNIT.match(text, end)
    return unit_name(m["sign"] or m["word"]) if m else ""
