"""Expressions of numbers, computed exactly."""

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
