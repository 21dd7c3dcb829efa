"""Numbers as exact fractions: read from text, computed from expressions, compared."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

MAX_CHARS = 1000
"""Of an expression."""
MAX_BITS = 20_000
"""Of a numerator or denominator on the way."""
_WHOLE = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_PLAIN = rf"(?:{_WHOLE}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{{1,3}})?"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)\s?(?P<money>[$€£¥]?)\s?(?P<inner>[+-]?)(?P<top>{_PLAIN})(?:\s?/\s?(?P<under>{_PLAIN}))?"
    r"(?P<share>\s?%)?(?:\s?(?P<unit>[^\W\d_]+\.?(?:\s[^\W\d_]+\.?){0,2}))?"
)
_NO_UNIT = frozenset((
    "hundred", "thousand", "million", "billion", "trillion", "dozen", "half", "third", "quarter", "percent",
    "to", "or", "and", "minus", "plus", "times", "over", "less", "more", "not", "point", "k", "m", "bn",
))  # fmt: skip
"""Words that change a number and do not name what is counted."""
_LATEX = ((r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2"), (r"\\(?:text|mathrm)\{([^{}]*)\}", r"\1"))
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction | int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


class NotArithmeticError(ValueError):
    """The text is no expression over numbers, or its value is not defined or too large."""


def parse_number(text: str) -> Fraction | None:
    """The one number that a text is, exactly; None where it is anything else.

    A sign, a currency, groups of three digits, a fraction, a percent sign and up to three words of unit may stand with
    it. Nothing is guessed: two numbers, a range or a word such as `million` make it no number.

    >>> parse_number("-5"), parse_number("1,000"), parse_number("10%"), parse_number("1/2"), parse_number("5 to 7")
    (Fraction(-5, 1), Fraction(1000, 1), Fraction(1, 10), Fraction(1, 2), None)
    """
    text = text.strip().replace("\u2212", "-")
    match = _NUMBER.fullmatch(text) if len(text) <= MAX_CHARS else None
    if match is None or (match["sign"] and match["inner"]):
        return None
    if match["unit"] and not _NO_UNIT.isdisjoint(match["unit"].lower().replace(".", "").split()):
        return None
    value = Fraction(match["top"].replace(",", ""))
    if match["under"]:
        under = Fraction(match["under"].replace(",", ""))
        if not under:
            return None
        value /= under
    value = value / 100 if match["share"] else value
    return -value if "-" in match["sign"] + match["inner"] else value


def plain_math(text: str) -> str:
    r"""A text without the dress of LaTeX, where it is simple.

    >>> plain_math(r"$\frac{1}{2}$"), plain_math(r"\$1{,}000")
    ('1/2', '$1,000')
    """
    for pattern, plain in _LATEX:
        text = re.sub(pattern, plain, text)
    text = re.sub(r"\\[,;!: ]", " ", text.replace("{,}", ","))
    text = re.sub(r"^\s*\$(?!\d)(.*?)(?<!\\)\$\s*$|^\s*\$(.*?)(?<!\\)\$\s*$", r"\1\2", text, flags=re.DOTALL)
    return text.replace(r"\$", "$").replace(r"\%", "%").strip()


def evaluate(expression: str) -> Fraction:
    """The exact value of an expression of numbers, + - * / // % **, signs and brackets.

    The expression is parsed, never executed; sizes are bounded on the way.

    >>> evaluate("2 + 3 * (4 - 1) / 2"), evaluate("0.1 + 0.2")
    (Fraction(13, 2), Fraction(3, 10))

    Raises:
        NotArithmeticError: anything else, a division by zero, or numbers beyond 20,000 bits.
    """
    if len(expression) > MAX_CHARS:
        raise NotArithmeticError("the expression is too long")
    text = expression.strip().replace("\u00d7", "*").replace("\u00f7", "/").replace("\u2212", "-")
    try:
        return _value(ast.parse(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, RecursionError, MemoryError, ValueError) as error:
        raise NotArithmeticError(str(error)) from None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(repr(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        found = _power(left, right) if isinstance(node.op, ast.Pow) else _combined(node.op, left, right)
        if max(found.numerator.bit_length(), found.denominator.bit_length()) > MAX_BITS:
            raise NotArithmeticError("a number is too large")
        return found
    raise NotArithmeticError(f"{type(node).__name__} is no arithmetic")


def _combined(op: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    if type(op) not in _OPERATORS:
        raise NotArithmeticError(f"{type(op).__name__} is no arithmetic")
    return Fraction(_OPERATORS[type(op)](left, right))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise NotArithmeticError("only whole exponents have an exact value")
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent.numerator) * size > MAX_BITS:
        raise NotArithmeticError("a number is too large")
    return base**exponent.numerator
