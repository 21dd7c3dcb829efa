"""Reads what an answer is: a quantity, a letter of a choice, a list, an interval, a matrix, an equation, or words."""

from __future__ import annotations

import re
from fractions import Fraction

from dataflywheel.proposing.answers.equal_expressions import NotRationalError, exact
from dataflywheel.proposing.answers.expressions import parse
from dataflywheel.proposing.answers.node import Node, NoExpressionError
from dataflywheel.proposing.answers.plain import plain_math
from dataflywheel.proposing.answers.spoken import composed
from dataflywheel.proposing.answers.units import Unit, counts_nothing, scaled, unit_of
from dataflywheel.proposing.answers.values import (
    Choice,
    Equation,
    Items,
    Matrix,
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
_CURRENCY = re.compile(r"([+-]?)\s?(US\s?|USD\s?)?([$€£¥₹])\s?([+-]?)(?=[\d.])|(USD|EUR|GBP|JPY|INR)\s(?=[\d.])()()()")
_GROUPS = re.compile(r"([+-]?\d{1,3}(?:(?: \d{3})+|(?:'\d{3})+))(?![\d'])(?! ?/)")
_DOTTED = re.compile(r"(?<![\d.,])\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+)(?![\d.,])")
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}")
_PERCENT = re.compile(r"\s*(?:%|\bpercent|\bper cent|\bpct)$", re.IGNORECASE)
_TAIL = re.compile(r"(?:(?<=[\d})!.%])\s*|(?<=\\pi)\s+)(?P<tail>[^\W\d_]|[°$€£¥₹¢])")
_LETTER_UNIT = re.compile(r"\d\s[A-Za-z](?:\s*\^\s*\{?[23]\}?)?$")
"""A number, a space and one letter: a unit where the letter is one, else a product."""
_NO_TAIL = re.compile(r"[\\=+*()\[\]<>,;:|!?]")
_MATRIX = re.compile(
    r"[(\[]?\s*\\begin\s*\{([pbvBV]?)(?:small)?(?:matrix|array)\}\s*(?:\{[clr| ]*\})?(.*?)"
    r"\\end\s*\{[pbvBVa-z]*\}\s*[)\]]?",
    re.DOTALL,
)
_AND = re.compile(r"\s*(?:,|;)\s*(?:and|or)\s+|\s+(?:and|or)\s+")
_LEFT_SIDE = re.compile(r"\\?[^\W\d_]+(?:_\{?\w{1,3}\}?)?'?(?:\s?\(\s?[^\W\d_](?:\s?,\s?[^\W\d_])*\s?\))?")
_MATHS = re.compile(r"[\d\\+*/^|()\-]")


def read(text: str, depth: int = 0) -> Value:
    r"""The value that a text is; `Words` where it is no other, or has more than one reading.

    >>> read("three thousand").node.value, read("(B) Paris"), read("10 is wrong")
    (Fraction(3000, 1), Choice(letter='B', text='Paris'), Words(text='10 is wrong'))
    """
    text = plain_math(text)
    if not text or depth > MAX_DEPTH or len(text) > LONGEST:
        return Words(text)
    text = _DOTTED.sub(lambda m: m[0].replace(".", "").replace(",", "."), text)
    choice = _CHOICE.fullmatch(text)
    if choice is not None:
        return Choice((choice[1] or choice[2] or choice[3]).upper(), choice[4].strip())
    return composed(text) or _structured(text, depth) or _quantity(text) or Words(text)


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
    return _bracketed(text, depth) or _row(text, depth)


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
    for left, right in (("\\{", "\\}"), ("(", ")"), ("[", "]"), ("(", "]"), ("[", ")"), ("{", "}")):
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


def _quantity(text: str) -> Value | None:
    money, unit = _CURRENCY.match(text), None
    if money is not None and not (money[1] and money[4]):
        unit = unit_of(money[3] or money[5])
        text = f"{money[1] or money[4] or ''}{text[money.end() :]}"
    text = _repeated(_ungrouped(text))
    share = _PERCENT.search(text)
    if share is not None and unit is None:
        node = _node(text[: share.start()])
        hundred = Node("number", value=Fraction(100))
        return None if node is None else _signs(Node("/", (node, hundred)), None, True)
    node = None if _LETTER_UNIT.search(text) else _node(text)
    if node is not None:
        return _signs(node, unit, False)
    for match in _TAIL.finditer(text):
        head, tail = text[: match.start()], text[match.start("tail") :]
        if _NO_TAIL.search(tail):
            continue
        scale, rest = scaled(tail)
        named = unit_of(rest, spaced=text[match.start("tail") - 1].isspace() or scale != 1) if rest else None
        said = scale != 1 if not rest else named is not None or counts_nothing(rest)
        node = _node(head) if said else None
        if node is None or (unit is not None and named not in (None, unit)):
            continue
        if scale != 1:
            node = Node("*", (node, Node("number", value=scale)))
        return _signs(node, named or unit, False)
    node = _node(text)
    return None if node is None else _signs(node, unit, False)


def _signs(node: Node, unit: Unit | None, percent: bool) -> Value:
    r"""A quantity, or the two that `\pm` stands for."""
    plus, minus = _with_sign(node, "+"), _with_sign(node, "-")
    if plus == minus:
        return Quantity(node, unit, percent)
    return Items("\\{", "\\}", (Quantity(plus, unit, percent), Quantity(minus, unit, percent)))


def _with_sign(node: Node, sign: str) -> Node:
    kind = sign if node.kind == "pm" else node.kind
    return Node(kind, tuple(_with_sign(part, sign) for part in node.parts), node.value, node.name)


def _node(text: str) -> Node | None:
    if not _MATHS.search(text):
        return None
    try:
        return parse(text)
    except NoExpressionError:
        return None


def _ungrouped(text: str) -> str:
    """Without the spaces and apostrophes that group a number's digits, where they can be nothing else."""
    match = _GROUPS.match(text)
    return text if match is None else re.sub("[ ']", "", match[0]) + text[match.end() :]


def _repeated(text: str) -> str:
    r"""With `0.1\overline{6}` as a fraction."""

    def fraction(match: re.Match[str]) -> str:
        whole, once, over = match[1] or "0", match[2], match[3]
        under = (10 ** len(over) - 1) * 10 ** len(once)
        top = int(whole + once + over) - int(whole + once)
        return rf"(\frac{{{top}}}{{{under}}})"

    return _REPEATING.sub(fraction, text) if len(text) <= 100 else text
