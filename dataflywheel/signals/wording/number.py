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

NEXT_WORD = re.compile(r"\.?[^\S\n]?(?P<word>[^\W\d_]+)")
POWERED = {"square": "^2", "sq": "^2", "cubic": "^3", "cu": "^3"}
POWER = re.compile(r"\^?[23](?!\d)|[\u00b2\u00b3]")
PER = re.compile(r"[^\S\n]?(?:/[^\S\n]?|per[^\S\n])(?P<word>hour|second|minute|h|s|sec|min)\b", re.IGNORECASE)
MOVED = frozenset(("km", "m", "mile", "foot", "cm", "l"))
"""What goes or flows so far in a time."""
RATES = {"mile/hour": "mph", "km/hour": "km/h"}


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
    """The unit behind a number, with its power and what it is counted for: `m^2`, `km/h`.

    >>> unit_after("5 square metres", 1), unit_after("5 m\u00b2", 1), unit_after("60 miles per hour", 2)
    ('m^2', 'm^2', 'mph')
    >>> unit_after("180 degrees Celsius", 3), unit_after("3 square roots", 1)
    ('\u00b0c', '')
    """
    m = UNIT.match(text, end)
    if m is None:
        return ""
    raised = (m["word"] or "")[-1:] in ("\u00b2", "\u00b3")
    said = m["sign"] or (m["word"][:-1] if raised else m["word"])
    power = POWERED.get(said.lower(), "")
    if power or said.lower() in ("degree", "degrees"):
        named = NEXT_WORD.match(text, m.end())
        inner = unit_name(named["word"]) if named else ""
        if power:
            return inner + power if inner else ""
        return inner if inner in ("\u00b0c", "\u00b0f") else unit_name(said)
    name, behind = unit_name(said), POWER.match(text, m.end() - raised)
    if behind is not None and name:
        return name + ("^2" if behind[0].endswith(("2", "\u00b2")) else "^3")
    each = PER.match(text, m.end()) if name in MOVED else None
    return name if each is None else RATES.get(joined := f"{name}/{unit_name(each['word'])}", joined)
