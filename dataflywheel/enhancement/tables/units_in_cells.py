"""Columns of numbers whose cells carry units in several spellings, and signs for no value among numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np

from dataflywheel.enhancement.tables.columns import Change, Column
from dataflywheel.rows.gaps import MOSTLY, NUMBER, SIGNS
from dataflywheel.signals.wording.units import unit_name

WITH_UNIT = re.compile(rf"({NUMBER.pattern})\s*([^\W\d_]+\.?|[%°$€£¥₹])?", re.UNICODE)
DIGITS = 15
"""Digits of a number that was meant; more come of binary fractions written out."""
APART = 2.0
"""How much larger the middle of the bare numbers may be than that of those with a unit, or the other way round, where
both are of the same unit."""
MANY, ALIKE = 20, 1.25
"""Of a percent sign beside shares (bare numbers of 1 at most) it takes so many cells of both, and middles so near, to
be sure that it says nothing: `0.14%` beside `0.50` may be a seventh of a hundredth."""
CASED = frozenset({"m", "mb", "kb", "gb", "tb", "ms", "w", "g"})
"""Units that mean another thing in capitals, in small letters: `5 M` are millions, `5 Mb` bits."""
HALVES = frozenset({"am", "pm"})
"""What no number can do without: 9 am is no 9."""
GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")
"""A number of which nothing says whether it has three decimals or thousands: `1.250`, `1,250`."""
OTHER_POINT = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+")
"""A number with a comma before its decimals, unless these are three."""


def bare_numbers(table: Mapping[str, Column]) -> list[Change]:
    """Takes the unit out of cells where a column has one unit in several spellings, or on a part of its numbers alone.

    `12.0 oz`, `12 OZ.` and `16 ounces` become `12`, `12` and `16`. Cells of a column with two units stay as they are;
    so do those whose bare numbers are of another size (0.05 beside 5 %), since one of both is then no such number, and
    percents beside shares unless many of both are alike;
    those where a point or a comma may stand before decimals or between thousands (`1.200 €` with no `1.2 €` beside it);
    and those with a unit that is another one in capitals (`5 m`, `5 M`).
    """
    return [change for column in table.values() for change in _of_column(column)]


def _of_column(column: Column) -> list[Change]:
    said = [(i, text) for i, text in enumerate(column.texts) if not column.missing[i] and text.lower() not in SIGNS]
    read = [(i, match) for i, text in said if (match := WITH_UNIT.fullmatch(text)) and any(map(str.isdigit, match[1]))]
    if not said or len(read) < MOSTLY * len(said):
        return []
    spelled = Counter(match[2] or "" for _, match in read)
    names = {unit_name((match[2] or "").rstrip(".")) for _, match in read if match[2]}
    if len(spelled) < 2 or len(names) != 1 or names & {"", *HALVES} or not _of_one_size(read):
        return []
    if len({word.rstrip(".") for word in spelled if word.rstrip(".").lower() in CASED}) > 1 or _of_two_points(
        [text for _, text in said], [match[1] for _, match in read]
    ):
        return []
    right = len(read) / len(said)
    return [
        Change(i, column.name, column.values[i], plain, "a unit in a cell of a column of numbers", right)
        for i, match in read
        if match[2] and (plain := plain_number(match[1])) != column.texts[i]
    ]


def _of_two_points(texts: list[str], numbers: list[str]) -> bool:
    """Whether a point or comma of a column's numbers may be one before decimals or between thousands."""
    if any((m := OTHER_POINT.match(text)) and not GROUPED.fullmatch(m[0]) for text in texts):
        return True
    fractions = [n for n in numbers if "." in n]
    return bool(fractions) and all(GROUPED.fullmatch(number) for number in fractions)


def _of_one_size(read: list[tuple[int, re.Match[str]]]) -> bool:
    sizes = [[float(m[1].replace(",", "")) for _, m in read if bool(m[2]) == with_unit] for with_unit in (True, False)]
    if not all(sizes):
        return True
    middle = [float(np.median(np.abs(one))) for one in sizes]
    if any(match[2] and unit_name(match[2].rstrip(".")) == "%" for _, match in read) and max(sizes[1]) <= 1:
        return min(map(len, sizes)) >= MANY and max(middle) <= ALIKE * min(middle)
    return max(middle) <= APART * min(middle)


def plain_number(text: str) -> str:
    """A number without what says nothing: `12.0` is `12`, `1,200` is `1200`.

    >>> plain_number("12.0"), plain_number("1,200.50"), plain_number("0.057999999999999996")
    ('12', '1200.5', '0.058')
    """
    bare = text.replace(",", "")
    if "e" in bare.lower():
        return bare
    if sum(map(str.isdigit, bare)) > DIGITS and "." in bare:
        bare = f"{float(bare):.{DIGITS}f}" if abs(float(bare)) < 1 else f"{float(bare):.{DIGITS}g}"
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def no_values(table: Mapping[str, Column]) -> list[Change]:
    """Empties cells of columns of numbers that hold a sign for no value, such as `N/A`."""
    return [
        Change(i, column.name, column.values[i], "", "a sign for no value among numbers", 1.0)
        for column in table.values()
        if column.numeric
        for i, text in enumerate(column.texts)
        if text and column.missing[i]
    ]
