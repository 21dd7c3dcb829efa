"""Numbers of a text with their units, in digits or spelled out, in one notation."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from dataflywheel.signals.wording.dates import HALF, MONTHS, ORDINALS, list_marks, moments
from dataflywheel.signals.wording.number import SCALES, SMALL, TENS, VAGUE, VALUES, Number, plain, unit_after
from dataflywheel.signals.wording.parts import AND_A_HALF, PARTS, fractions, parts
from dataflywheel.signals.wording.units import unit_name

ERA = 100
"""`1990s` is a time, `90s` may be seconds."""
NUMBER = re.compile(
    r"(?<![a-zA-Z_\u00b5-\u058f])(?<!\d[,\u00a0\u2009\u202f'\u2019])"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?|\d{1,3}(?:[\u00a0\u2009\u202f'\u2019]\d{3})+(?!\d)"
    r"|\d+(?:\.\d+)?|(?<![\d\w])\.\d+)"
    r"(?P<attached>[^\W\d_]+)?"
)
GROUPED = r"\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?|\d{1,3}(?:[\u00a0\u2009\u202f'\u2019]\d{3})+(?!\d)|"
AFTER_SIGN = re.compile(NUMBER.pattern.replace(r"(?<!\d[,\u00a0\u2009\u202f'\u2019])", "").replace(GROUPED, ""))
JOINING = frozenset(",\u00a0\u2009\u202f'\u2019")
"""Signs that part groups of thousands; a row of digits that they part otherwise holds several numbers."""
APOSTROPHE_S = re.compile(r"['\u2019]s\b")
AT_CLOCK = re.compile(rf"\s?(?:o['\u2019]clock\b(?:\s?{HALF})?|{HALF.replace('half', 'late')})", re.IGNORECASE)
"""What makes a time of the day of a number in words."""
BELOW_ZERO = re.compile(r"\b(?:minus|negative)\s$", re.IGNORECASE)
SPELLED = re.compile(
    rf"\b(?P<whole>(?:{'|'.join([*VALUES, *SCALES])})"
    rf"(?:(?:\s+and\s+|[\s-]+|(?<=sand),\s+|(?<=lion),\s+)(?:{'|'.join([*VALUES, *SCALES])}))*)\b"
    rf"(?<!ty(?=-(?:{'|'.join(ORDINALS[:9])})\b))"
    rf"(?:\s+point(?P<part>(?:\s+(?:{'|'.join(SMALL[:10])})\b)+))?",
    re.IGNORECASE,
)
TIMES = {"once": 1, "twice": 2, "thrice": 3}
RANKS = {word: n for n, word in enumerate(ORDINALS, 1)} | {f"{ten[:-1]}ieth": VALUES[ten] for ten in TENS}
MAYBE = re.compile(
    rf"\b(?:{'|'.join(TIMES)}|(?:(?P<tens>{'|'.join(TENS)})[\s-])?(?P<rank>{'|'.join(RANKS)}))\b", re.IGNORECASE
)
SCALE = re.compile(rf"\s{{0,2}}-?(?P<scale>{'|'.join(SCALES)})\b", re.IGNORECASE)
SHORT_SCALES = {"k": 10**3, "bn": 10**9, "mn": 10**6, "mln": 10**6}
MONEY_SCALES = {"m": 10**6, "b": 10**9}
SIGN = re.compile(r"(?:^|[\s(=,:])[-\u2212](?:[$€£¥₹]\s?)?$")
CURRENCY = re.compile(r"[$€£¥₹]\s?$")
CLOCK_WORD = re.compile(rf"\b(?:past|quarter|noon|midday|midnight|minutes|{'|'.join(MONTHS)})\b", re.IGNORECASE)
"""A text without one of these and without a digit holds no date and no time that is not an hour alone."""
DIGIT = re.compile(r"\d|[½⅓⅔¼¾⅕-⅞⅐⅑⅒]")
LARGEST = 10**18
"""Scale words beyond begin another number: nobody counts in hundreds of hundreds of hundreds."""


def numbers(text: str) -> list[Number]:
    """The numbers of a text in order. A digit within a word (`x2`) is none, nor is the number of a list item or step.

    Dates are months with days (`01-05`), with the year beside them; times are those of a day of 24 hours.

    >>> [(n.value, n.unit) for n in numbers("$1,000.50, 3 kilograms, two hundred and five, -4%, 2nd, 1.5 million")]
    [('1000.5', '$'), ('3', 'kg'), ('205', ''), ('-4', '%'), ('2', 'th'), ('1500000', '')]
    >>> [n.value for n in numbers("\u00bd cup, 1 1/2 cups, two thirds of it at 9 am on Jan 5")]
    ['0.5', '1.5', '2/3', '09:00', '01-05']
    """
    return list(_numbers(text))


@lru_cache(maxsize=256)
def _numbers(text: str) -> tuple[Number, ...]:
    """Kept, since what compares two texts asks for those of each several times."""
    taken = bytearray(len(text))
    found: list[Number] = []
    passes: list[Callable[[str], list[Number]]] = [parts, _spelled_out, _maybe]
    if DIGIT.search(text):
        passes = [_moments, fractions, _digits, *passes]
        for place in list_marks(text):
            taken[place] = 1
    elif CLOCK_WORD.search(text):
        passes = [_moments, *passes]
    for numbers_of in passes:
        free = [n for n in numbers_of(text) if taken.find(1, n.start, n.end) < 0]
        for start, end in {(n.start, n.end) for n in free}:
            taken[start:end] = b"\1" * (end - start)
        found += free
    return tuple(sorted(found, key=lambda n: n.start))


def _moments(text: str) -> list[Number]:
    return [Number(m.value, m.unit, m.start, m.end) for m in moments(text)]


def _spelled_out(text: str) -> list[Number]:
    return [number for m in SPELLED.finditer(text) for number in spelled(text, m)]


def _digits(text: str) -> list[Number]:
    found: list[Number] = []
    at = 0
    while True:
        m = NUMBER.search(text, at)
        if m is None:
            return found
        found.append(in_digits(text, m))
        at = m.end()
        # What follows a comma in a row of digits, as in `1,2,3`, begins no group of thousands.
        while text[at : at + 1] in JOINING and text[at + 1 : at + 2].isdigit():
            m = AFTER_SIGN.match(text, at + 1)
            if m is None:
                break
            found.append(in_digits(text, m))
            at = m.end()


def in_digits(text: str, m: re.Match[str]) -> Number:
    value, end = Decimal(re.sub(r"[^\d.]", "", m["digits"])), m.end()
    attached = (m["attached"] or "").lower()
    currency = CURRENCY.search(text, max(0, m.start() - 2), m.start())
    unit = unit_name(currency.group().strip()) if currency else ""
    scales = SHORT_SCALES | MONEY_SCALES if unit else SHORT_SCALES
    if attached in ("st", "nd", "rd", "th"):
        unit = "th"
    elif value >= ERA and (attached == "s" or (m[0].endswith("0") and APOSTROPHE_S.match(text, end))):
        unit = "era"
    elif attached in scales:
        value *= scales[attached]
        unit = unit or unit_after(text, end)
    elif attached:
        unit = unit_name(attached) or (attached if attached.isascii() else "")
    else:
        scale = SCALE.match(text, end)
        if scale:
            value, end = value * SCALES[scale["scale"].lower()], scale.end()
        half = AND_A_HALF.match(text, end)
        if half:
            value, end = value + Decimal(1) / PARTS[half["part"].lower()], half.end()
        unit = unit or unit_after(text, end)
    if SIGN.search(text, max(0, m.start() - 4), m.start()):
        value = -value
    return Number(plain(value), unit, m.start("digits"), end)


def _maybe(text: str) -> list[Number]:
    found = []
    for m in MAYBE.finditer(text):
        if m["rank"]:
            value, unit = VALUES.get((m["tens"] or "").lower(), 0) + RANKS[m["rank"].lower()], "th"
        else:
            value, unit = TIMES[m.group().lower()], ""
        found.append(Number(str(value), unit, m.start(), m.end(), False))
    return found


def spelled(text: str, m: re.Match[str]) -> list[Number]:
    """The number that a run of number words spells; several where the words do not join up (`nine eleven`)."""
    total, current, pieces = 0, -1, []
    for word in re.findall(r"[a-z]+", m["whole"].lower()):
        if word == "and":
            continue
        scale = SCALES.get(word)
        if scale is not None and max(current, 1) < scale and (scale < 1000 or total == 0 or total >= 1000 * scale):
            current = max(current, 1) * scale
            if scale >= 1000:
                total, current = total + current, 0
        elif scale is not None and total and not current and total * scale <= LARGEST:
            total *= scale
        elif scale is None and (current <= 0 or joins(current, VALUES[word])):
            current = max(current, 0) + VALUES[word]
        else:
            pieces.append(total + max(current, 0))
            total, current = (scale, 0) if scale is not None and scale >= 1000 else (0, scale or VALUES.get(word, 0))
    pieces.append(total + max(current, 0))
    end = m.end()
    if len(pieces) == 2 and 11 <= pieces[0] <= 20 and 10 <= pieces[1] <= 99 and not m["part"]:
        pieces = [100 * pieces[0] + pieces[1]]  # a year: nineteen ninety-nine
    half = None if m["part"] else AND_A_HALF.match(text, end)
    last = Decimal(pieces[-1]) + (Decimal(1) / PARTS[half["part"].lower()] if half else 0)
    end = half.end() if half else end
    clock = AT_CLOCK.match(text, end) if len(pieces) == 1 and 0 < pieces[0] <= 12 and half is None else None
    if clock is not None and m.group().lower() in VAGUE and clock["late"] and "." not in clock[0]:
        clock = None  # "one am I"
    if clock is not None:
        half_of_day = (clock["half"] or clock["late"] or "").lower()
        hour = pieces[0] % 12 + 12 * (half_of_day == "p") if half_of_day else pieces[0]
        return [Number(f"{hour:02}:00", "time", m.start(), clock.end())]
    unit, sure = unit_after(text, end), half is not None or m.group().lower() not in VAGUE
    units = [""] * (len(pieces) - 1) + [unit]
    decimals = "".join(str(VALUES[word]) for word in (m["part"] or "").lower().split())
    if BELOW_ZERO.search(text, max(0, m.start() - 10), m.start()) and len(pieces) == 1:
        pieces, last = [-pieces[0]], -last
    texts = [*map(str, pieces[:-1]), f"{pieces[-1]}.{decimals}" if decimals else plain(last)]
    return [Number(plain(Decimal(n)), u, m.start(), end, sure) for n, u in zip(texts, units, strict=True)]


def joins(current: int, value: int) -> bool:
    """Whether a value goes on from what was said: `twenty` and `five`, `two hundred` and `fifty`."""
    return (current % 100 == 0 and value < 100) or (current % 100 >= 20 and current % 10 == 0 and 0 < value < 10)
