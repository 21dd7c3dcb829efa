"""Numbers of a text with their units, in digits or spelled out, in one notation."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import listed

SMALL = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
VALUES = {word: n for n, word in enumerate(SMALL)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
VAGUE = {"one"}
"""Spelled out, these are more often no number: they may stand for one, and need not."""

UNITS = {
    unit: names[0]
    for names in (
        line.split()
        for line in (
            "% percent pct per-cent",
            "$ dollar usd buck",
            "€ euro eur",
            "£ pound-sterling gbp quid",
            "¥ yen jpy yuan rmb cny",
            "₹ rupee inr rs",
            "cent ¢",
            "km kilometer kilometre kms",
            "m meter metre",
            "cm centimeter centimetre",
            "mm millimeter millimetre",
            "mile mi",
            "foot feet ft",
            "inch inches",
            "yard yd",
            "kg kilogram kilo kgs",
            "g gram",
            "mg milligram",
            "pound lb lbs",
            "ounce oz",
            "ton tonne",
            "l liter litre",
            "ml milliliter millilitre",
            "gallon gal",
            "cup",
            "tablespoon tbsp",
            "teaspoon tsp",
            "pint",
            "quart",
            "second sec secs s",
            "ms millisecond",
            "minute min mins",
            "hour hr hrs h",
            "day",
            "week wk",
            "month",
            "year yr yrs",
            "decade",
            "century centuries",
            "degree ° deg",
            "°c celsius ℃",
            "°f fahrenheit ℉",
            "mph",
            "km/h kph kmh",
            "hz hertz",
            "w watt",
            "kw kilowatt",
            "v volt",
            "kb kilobyte",
            "mb megabyte",
            "gb gigabyte",
            "tb terabyte",
            "am a.m a.m.",
            "pm p.m p.m.",
        )
    )
    for unit in names
}
ERA = 100
"""`1990s` is a time, `90s` may be seconds."""
NUMBER = re.compile(
    r"(?P<currency>[$€£¥₹])?\s?(?<![a-zA-Z_\u00b5-\u058f])"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d\w])\.\d+)"
    r"(?P<attached>[^\W\d_]+)?"
)
LIST_MARKER = re.compile(r"^[^\S\n]*\(?(?P<number>\d{1,2})[.)][^\S\n]", re.MULTILINE)
SPELLED = re.compile(
    rf"\b(?P<whole>(?:{'|'.join([*VALUES, *SCALES])})"
    rf"(?:(?:\s+and\s+|[\s-]+|(?<=sand),\s+|(?<=lion),\s+)(?:{'|'.join([*VALUES, *SCALES])}))*)\b"
    rf"(?:\s+point(?P<part>(?:\s+(?:{'|'.join(SMALL[:10])})\b)+))?",
    re.IGNORECASE,
)
SCALE = re.compile(rf"\s*-?(?P<scale>{'|'.join(SCALES)})\b", re.IGNORECASE)
UNIT = re.compile(r"[^\S\n]?(?P<sign>[%°℃℉€£¥¢](?:[CFcf]\b)?)|(?:[^\S\n]|-)?(?P<word>[^\W\d_]+(?:/h\b|\.m\b)?)")
SIGN = re.compile(r"(?:^|[\s(=,:])[-\u2212][$€£¥₹]?$")


class Number(NamedTuple):
    """A number: its value in plain notation, its unit ("" without one), where it stands, whether it is surely one."""

    value: str
    unit: str
    start: int
    end: int
    sure: bool = True


def numbers(text: str) -> list[Number]:
    """The numbers of a text in order. A digit within a word (`x2`) is none, nor is the number of a list item.

    >>> [(n.value, n.unit) for n in numbers("$1,000.50, 3 kilograms, two hundred and five, -4%, 2nd, 1.5 million")]
    [('1000.5', '$'), ('3', 'kg'), ('205', ''), ('-4', '%'), ('2', 'th'), ('1500000', '')]
    """
    markers = {m.start("number") for m in LIST_MARKER.finditer(text)}
    found = [in_digits(text, m) for m in NUMBER.finditer(text) if m.start("digits") not in markers]
    taken = [(n.start, n.end) for n in found]
    for m in SPELLED.finditer(text):
        if not any(start < m.end() and m.start() < end for start, end in taken):
            found += spelled(text, m)
    return sorted(found, key=lambda n: n.start)


def in_digits(text: str, m: re.Match[str]) -> Number:
    value, end = Decimal(m["digits"].replace(",", "")), m.end()
    attached = (m["attached"] or "").lower()
    unit = unit_name(m["currency"] or "")
    if attached in ("st", "nd", "rd", "th"):
        unit = "th"
    elif attached == "s" and value >= ERA:
        unit = "era"
    elif attached:
        unit = unit_name(attached) or (attached if attached.isascii() else "")
    else:
        scale = SCALE.match(text, end)
        if scale:
            value, end = value * SCALES[scale["scale"].lower()], scale.end()
        unit = unit or unit_after(text, end)
    if SIGN.search(text, max(0, m.start() - 4), m.start("digits")):
        value = -value
    return Number(plain(value), unit, m.start("digits"), end)


def spelled(text: str, m: re.Match[str]) -> list[Number]:
    """The number that a run of number words spells; several where the words do not join up (`nine eleven`)."""
    total, current, pieces = 0, -1, []
    for word in re.findall(r"[a-z]+", m["whole"].lower()):
        if word == "and":
            continue
        if word in SCALES:
            current = max(current, 1) * SCALES[word]
            if SCALES[word] >= 1000:
                total, current = total + current, 0
        elif current <= 0 or joins(current, VALUES[word]):
            current = max(current, 0) + VALUES[word]
        else:
            pieces.append(total + current)
            total, current = 0, VALUES[word]
    pieces.append(total + max(current, 0))
    unit, sure = unit_after(text, m.end()), m.group().lower() not in VAGUE
    units = [""] * (len(pieces) - 1) + [unit]
    decimals = "".join(str(VALUES[word]) for word in (m["part"] or "").lower().split())
    texts = [*map(str, pieces[:-1]), f"{pieces[-1]}.{decimals or 0}"]
    return [Number(plain(Decimal(n)), u, m.start(), m.end(), sure) for n, u in zip(texts, units, strict=True)]


def joins(current: int, value: int) -> bool:
    """Whether a value goes on from what was said: `twenty` and `five`, `two hundred` and `fifty`."""
    return (current % 100 == 0 and value < 100) or (current % 100 >= 20 and current % 10 == 0 and 0 < value < 10)


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


def unit_name(word: str) -> str:
    """One name for all spellings of a unit, "" for what is none.

    >>> unit_name("Kilometres"), unit_name("apples")
    ('km', '')
    """
    lower = word.lower()
    return UNITS.get(lower) or UNITS.get(lower.removesuffix("s"), "")
