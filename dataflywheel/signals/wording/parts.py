"""Parts of one, in digits, signs and words: `1/2`, `½`, `two thirds`."""

from __future__ import annotations

import re
from fractions import Fraction

from dataflywheel.signals.wording.number import SMALL, VALUES, Number, exact, unit_after

VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅐": "1/7", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8", "⅑": "1/9", "⅒": "1/10",
}  # fmt: skip
FRACTION = re.compile(
    rf"(?<![\w./,-])(?:(?:(?P<whole>\d{{1,6}})(?:\s{{1,2}}|\s?-\s?|\u2064))?(?P<over>\d{{1,3}})[/\u2044](?P<under>[1-9]\d{{0,2}})"
    rf"|(?P<one>\d{{0,6}})[^\S\n]?(?P<vulgar>[{''.join(VULGAR)}]))(?![\w/]|[.,]\d)"
)
PARTS = {
    "half": 2,
    "halves": 2,
    "quarter": 4,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
}
PARTS |= {"ninth": 9, "tenth": 10, "hundredth": 100}
SPELLED_PART = re.compile(
    rf"\b(?:(?P<over>an?|{'|'.join(SMALL[1:13])})[\s-])?(?P<under>{'|'.join(PARTS)})(?P<many>s?)\b(?P<of>\s+(?:of|the|an?)\b)?",
    re.IGNORECASE,
)
AND_A_HALF = re.compile(r"\s{1,3}and\s{1,3}(?:a|one)[\s-](?P<part>half|quarter|third)\b", re.IGNORECASE)


def fractions(text: str) -> list[Number]:
    """Proper fractions, alone or behind a whole number."""
    found = []
    for m in FRACTION.finditer(text):
        part = Fraction(VULGAR[m["vulgar"]]) if m["vulgar"] else Fraction(int(m["over"]), int(m["under"]))
        if part < 1:
            value = part + int(m["whole"] or m["one"] or 0)
            found.append(Number(exact(value), unit_after(text, m.end()), m.start(), m.end()))
    return found


def parts(text: str) -> list[Number]:
    """Parts in words: surely so with how many, or of what; `half` and `a third` alone need not be numbers."""
    found = []
    for m in SPELLED_PART.finditer(text):
        over, under, many = (m["over"] or "").lower(), PARTS[m["under"].lower()], bool(m["many"])
        if (not over and (many or under != PARTS["half"])) or text[max(0, m.start() - 4) : m.start()].lower() == "and ":
            continue
        counted = over not in ("", "a", "an")
        sure = (counted and (over == "one" or many)) or bool(m["of"]) or bool(over and under == PARTS["half"])
        if sure or under == PARTS["half"]:
            value = Fraction(VALUES.get(over, 1), under)
            found.append(Number(exact(value), "", m.start(), m.end("under") + many, sure))
    return found
