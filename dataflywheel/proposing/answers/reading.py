"""Reads what an answer is: a quantity, a letter of a choice, a list, an interval, a matrix, an equation, or words."""

from __future__ import annotations

import re

from dataflywheel.proposing.answers.equal_expressions import NotRationalError, exact
from dataflywheel.proposing.answers.expressions import parse
from dataflywheel.proposing.answers.node import NoExpressionError
from dataflywheel.proposing.answers.plain import plain_math
from dataflywheel.proposing.answers.quantities import quantity
from dataflywheel.proposing.answers.spoken import composed
from dataflywheel.proposing.answers.values import (
    Choice,
    Equation,
    Items,
    Matrix,
    Order,
    Quantity,
    Union,
    Value,
    Words,
)

MAX_PARTS = 64
MAX_DEPTH = 4
LONGEST = 400
"""Characters of a text that is read for a value."""


_CHOICE = re.compile(
    r"(?:(?i:option|choice|answer)(?:\s+is)?:?\s+)?(?:\(\s*([A-Ja-j])\s*\)|\[\s*([A-J])\s*\]|([A-Ja-j])(?=$|[).:]\s|[).:]$))[).:]?\s*(.*)",
    re.DOTALL,
)
_NO_OPTION = re.compile(
    r"[,&/+?;<>=-]|(?i:and|or|nor|is|isn't|are|was|not|no|cannot|can't|seems?|looks?|may|might|could|but|then|if)\b"
)
"""How no text of an option begins: what it begins goes on about the letter."""
_DOTTED = re.compile(
    r"(?<![\d.,])\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+|(?<!\d )(?: \d{3})+,\d{1,2})(?![\d.,])"
)
"""Numbers whose decimals stand behind a comma, as no other reading is left."""
_MATRIX = re.compile(
    r"[(\[]?\s*\\begin\s*\{([pbvBV]?)(?:small)?(?:matrix|array)\}\s*(?:\{[clr| ]*\})?(.*?)"
    r"\\end\s*\{[pbvBVa-z]*\}\s*[)\]]?",
    re.DOTALL,
)
_AND = re.compile(r"\s*(?:,|;)\s*(?:and|or)\s+|\s+(?:and|or)\s+")
_ORDER = re.compile(r"\\(?:le|ge|ne)(?![A-Za-z])|[<>]")
_TURNED = {">": "<", r"\ge": r"\le"}
_LEFT_SIDE = re.compile(
    r"\(\s?[^\W\d_](?:\s?,\s?[^\W\d_]){1,3}\s?\)|\\?[^\W\d_]+(?:_\{?\w{1,3}\}?)?'?(?:\s?\(\s?[^\W\d_](?:\s?,\s?[^\W\d_])*\s?\))?"
)


def read(text: str, depth: int = 0) -> Value:
    r"""The value that a text is; `Words` where it is no other, or has more than one reading.

    >>> read("three thousand").node.value, read("(B) Paris"), read("10 is wrong")
    (Fraction(3000, 1), Choice(letter='B', text='Paris'), Words(text='10 is wrong'))
    """
    text = plain_math(text)
    if not text or depth > MAX_DEPTH or len(text) > LONGEST:
        return Words(text)
    text = _DOTTED.sub(lambda m: re.sub(r"[. ]", "", m[0]).replace(",", "."), text)
    choice = _CHOICE.fullmatch(text)
    if choice is not None and _NO_OPTION.match(choice[4]) is None:
        return Choice((choice[1] or choice[2] or choice[3]).upper(), choice[4].strip())
    return composed(text) or _structured(text, depth) or quantity(text) or Words(text)


def _structured(text: str, depth: int) -> Value | None:
    matrix = _MATRIX.fullmatch(text)
    if matrix is not None and r"\begin" not in matrix[2]:
        rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?", matrix[2]) if row.strip()]
        cells = tuple(tuple(read(cell, depth + 1) for cell in row.split("&")) for row in rows)
        return Matrix(cells, matrix[1] in ("v", "V") or text.startswith("|"))
    if r"\cup" in text:
        parts = [part for part in re.split(r"\\cup(?![A-Za-z])", text) if part.strip()]
        found = tuple(read(part, depth + 1) for part in parts[:MAX_PARTS])
        return Union(found) if len(found) > 1 and all(isinstance(part, Items) for part in found) else None
    if re.search(r"(?<![<>=\\!:])=(?!=)", text) and text.count("=") == 1 and "," not in _outside(text):
        return _equation(text, depth)
    member = re.match(r"[^\W\d_]\s*\\in(?![A-Za-z])\s*", text)
    if member is not None:
        inner = read(text[member.end() :], depth + 1)
        return inner if isinstance(inner, Items | Union) else None
    return _bracketed(text, depth) or _row(text, depth) or _order(text, depth)


def _order(text: str, depth: int) -> Value | None:
    r"""What is less, greater or unequal: `x \le 2`, `0 < x < 1`; the smaller side first."""
    signs = _ORDER.findall(text)
    if not 1 <= len(signs) <= 2 or (
        len(signs) == 2 and (r"\ne" in signs or (signs[0] in _TURNED) != (signs[1] in _TURNED))
    ):
        return None
    sides = [read(side, depth + 1) for side in _ORDER.split(text)]
    if any(not isinstance(side, Quantity) for side in sides):
        return None
    if signs[0] in _TURNED:
        return Order(tuple(_TURNED[sign] for sign in signs[::-1]), tuple(sides[::-1]))
    return Order(tuple(signs), tuple(sides))


def _equation(text: str, depth: int) -> Value | None:
    left, right = (side.strip() for side in text.split("="))
    value = read(right, depth + 1)
    if isinstance(value, Words):
        return None
    if _LEFT_SIDE.fullmatch(left):
        return Equation(left.replace(" ", ""), None, value)
    try:
        side = parse(left)
    except NoExpressionError:
        return None
    if isinstance(value, Quantity):
        try:
            return value if exact(side) == exact(value.node) else None
        except NotRationalError:
            return Equation("", side, value)
    return None


def _bracketed(text: str, depth: int) -> Value | None:
    r"""Parts between the brackets around the whole: tuples, sets, intervals."""
    for left, right in (
        ("\\{", "\\}"),
        (r"\langle", r"\rangle"),
        ("(", ")"),
        ("[", "]"),
        ("(", "]"),
        ("[", ")"),
        ("{", "}"),
    ):
        inner = text[len(left) : -len(right)]
        if not (text.startswith(left) and text.endswith(right)) or not _balanced(inner):
            continue
        parts = _split(inner, grouped=left == "{")
        if len(parts) < 2 and left != "\\{":
            continue
        if any(re.fullmatch(r"0\d+.*", part) for part in parts) or not all(parts):
            return Words(text)
        found = tuple(read(part, depth + 1) for part in parts[:MAX_PARTS])
        return Items("\\{" if left == "{" else left, "\\}" if left == "{" else right, found)
    return None


def _row(text: str, depth: int) -> Value | None:
    """Parts in a row, by commas, `and`, `or`: only where every one is a value and no word."""
    parts = [piece for chunk in _AND.split(text) for piece in _split(chunk, grouped=True)]
    if not 2 <= len(parts) <= MAX_PARTS or not all(parts):
        return None
    if any(re.fullmatch(r"0\d+.*", part) for part in parts) or re.fullmatch(r"\d+ and \d+ ?/ ?\d+", text):
        return Words(text)
    found = tuple(read(part, depth + 1) for part in parts)
    return None if any(isinstance(part, Words) for part in found) else Items("", "", found)


def _split(text: str, grouped: bool) -> list[str]:
    """At commas and semicolons outside brackets; `grouped`: not within a number such as 1,000."""
    parts, start, depth = [], 0, 0
    for i, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign in ",;" and depth <= 0:
            inside = re.match(r",\d{3}(?!\d)", text[i : i + 5]) and re.search(
                r"(?:^|[^\d.])\d{1,3}(?:,\d{3})*$", text[start:i]
            )
            if not (grouped and inside):
                parts.append(text[start:i].strip())
                start = i + 1
    return [*parts, text[start:].strip()]


def _balanced(text: str) -> bool:
    """Whether no bracket is closed before it was opened, so that the outer pair belongs together."""
    depth = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:
            return False
    return True


def _outside(text: str) -> str:
    depth, found = 0, []
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        found.append(sign if depth <= 0 else "")
    return "".join(found)
