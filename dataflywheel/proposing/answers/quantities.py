"""Quantities: an expression with the sign of money before it, or with what it counts or measures behind it."""

from __future__ import annotations

import re
from fractions import Fraction

from dataflywheel.proposing.answers.expressions import parse
from dataflywheel.proposing.answers.node import Node, NoExpressionError
from dataflywheel.proposing.answers.units import Unit, counts_nothing, scaled, unit_of
from dataflywheel.proposing.answers.values import Items, Quantity, Value

_CURRENCY = re.compile(r"([+-]?)\s?(US\s?|USD\s?)?([$€£¥₹])\s?([+-]?)(?=[\d.])|(USD|EUR|GBP|JPY|INR)\s(?=[\d.])()()()")
_GROUPS = re.compile(r"([+-]?\d{1,3}(?:(?: \d{3})+|(?:'\d{3})+))(?![\d'])(?! ?/)")
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}")
_PERCENT = re.compile(r"\s*(?:%|\bpercent|\bper cent|\bpct)$", re.IGNORECASE)
_TAIL = re.compile(r"(?:(?<=[\d})!.%])\s*|(?<=\\pi)\s+)(?P<tail>[^\W\d_]|[°$€£¥₹¢])")
_LETTER_UNIT = re.compile(r"\d\s[A-Za-z](?:\s*\^\s*\{?[23]\}?)?$|\d\s[A-Za-z]{1,2}\s?/\s?[A-Za-z]{1,3}$")
"""A number, a space and one letter, or a letter for another: units where the letters are, else a product."""
_RATE = re.compile(r"[\d.,]{1,20}\s?(?:/|per\b|an?\b)\s?(?P<each>[A-Za-z]{1,20})$")
"""Money for one of something."""
_SIZE = re.compile(r"\d[\d.,]*(?:\s*\\times\s*\d[\d.,]*)+")
"""Numbers multiplied by a cross: as often the sides of something as a product."""
_NO_TAIL = re.compile(r"[\\=+*()\[\]<>,;:|!?]")
_MATHS = re.compile(r"[\d\\+*/^|()\-]")


def quantity(text: str) -> Value | None:
    money, unit = _CURRENCY.match(text), None
    if money is not None and not (money[1] and money[4]):
        unit = unit_of((money[3] or money[5]).rstrip("."))
        text = f"{money[1] or money[4] or ''}{text[money.end() :]}"
        each = _RATE.search(text)
        if each is not None and unit is not None:
            unit = unit_of(f"{(money[3] or money[5]).rstrip('.')} per {each['each']}")
            text = re.sub(r"\s?(?:/|per\b|an?\b)\s?[A-Za-z]+$", "", text) if unit is not None else text
    text = _repeated(_ungrouped(text))
    if _SIZE.fullmatch(text):
        return None
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
