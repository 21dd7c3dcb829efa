"""Whether two expressions are one: as exact fractions where they are rational, else by their values at many points."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from dataflywheel.proposing.answers.node import Node

MAX_BITS = 20_000
"""Of a numerator or denominator on the way."""
DIGITS = 160
"""Decimal digits that values are computed to where expressions are not rational."""
LARGEST = 10**30
"""Values on the way lie between this and its inverse, or are 0: two different expressions of at most 400 signs over
such values do not agree in 120 digits."""
AGREE = 120
POINTS = 5
TRIES = 60
Values = Mapping[str, Any]


class NotRationalError(ValueError):
    """The value is no rational number, not defined, or too large to be told exactly."""


def exact(node: Node) -> Fraction:
    """The rational value of an expression without names.

    Raises:
        NotRationalError: it has none, or one beyond `MAX_BITS`.
    """
    if node.kind == "number":
        return _bounded(node.value)
    if node.kind in ("name", "pi", "function", "pm"):
        raise NotRationalError(node.kind)
    parts = [exact(part) for part in node.parts]
    first = parts[0]
    if node.kind == "^":
        return _power(first, parts[1])
    if node.kind == "root":
        return _root(first, parts[1])
    if node.kind == "!":
        if first.denominator != 1 or not 0 <= first <= 3000:
            raise NotRationalError("factorial")
        return _bounded(Fraction(math.factorial(first.numerator)))
    if node.kind == "binomial":
        if any(p.denominator != 1 or not 0 <= p <= 3000 for p in parts):
            raise NotRationalError("binomial")
        return _bounded(Fraction(math.comb(first.numerator, parts[1].numerator)))
    if node.kind in ("neg", "abs"):
        return -first if node.kind == "neg" else abs(first)
    if node.kind == "/" and not parts[1]:
        raise NotRationalError("a division by zero")
    second = parts[1]
    if node.kind == "/":
        return _bounded(first / second)
    return _bounded(first * second if node.kind == "*" else first + second if node.kind == "+" else first - second)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise NotRationalError("too large")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        found = _root(base, Fraction(exponent.denominator))
        return _power(found, Fraction(exponent.numerator))
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent.numerator) * size > MAX_BITS or (not base and exponent <= 0):
        raise NotRationalError("too large")
    return base**exponent.numerator


def _root(value: Fraction, index: Fraction) -> Fraction:
    """The root where it is rational; of negative numbers there is none."""
    if index.denominator != 1 or not 1 <= index <= 16 or value < 0:
        raise NotRationalError("root")
    n = index.numerator
    top, under = (_whole_root(part, n) for part in (value.numerator, value.denominator))
    return Fraction(top, under)


def _whole_root(value: int, n: int) -> int:
    if n == 2:
        found = math.isqrt(value)
    else:
        low, high = 0, 1 << (value.bit_length() // n + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**n <= value else (low, middle - 1)
        found = low
    if found**n != value:
        raise NotRationalError("root")
    return found


def names(node: Node) -> frozenset[str]:
    own = {node.name} if node.kind == "name" else set()
    return frozenset(own.union(*(names(part) for part in node.parts)))


def equal(one: Node, other: Node, up_to_sign: bool = False) -> bool:
    """Whether two expressions have the same value wherever both are defined.

    Rational ones are compared exactly. Others at `POINTS` random points with `DIGITS` digits: that is a proof for all
    but expressions built to deceive it, and those leave the bounds.
    """
    if one == other:
        return True
    try:
        return exact(one) == exact(other)
    except NotRationalError:
        pass
    import mpmath

    used = names(one) | names(other)
    if r"\infty" in used:
        return False
    draw, seen = random.Random(20), 0
    with mpmath.workdps(DIGITS):
        signs = {True, False} if up_to_sign else {True}
        for _ in range(TRIES):
            values = {name: _point(draw) for name in sorted(used)}
            try:
                left, right = _at(one, values), _at(other, values)
            except (_OutOfBoundsError, ZeroDivisionError, ValueError, OverflowError):
                if not used:
                    return False
                continue
            size = max(abs(left), abs(right), mpmath.mpf(1) / LARGEST)
            close = mpmath.mpf(10) ** -AGREE * size
            signs &= {plus for plus in signs if abs(left - right if plus else left + right) <= close}
            if not signs:
                return False
            seen += 1
            if seen == POINTS or not used:
                return True
    return False


def _point(draw: random.Random) -> Any:
    import mpmath

    return mpmath.mpf(draw.choice((-1, 1)) * draw.randint(10**5, 10**6)) / draw.randint(10**5, 10**6)


class _OutOfBoundsError(ValueError):
    """A value on the way is so large or small that digits could be lost."""


def _at(node: Node, values: Values) -> Any:
    import mpmath

    if node.kind == "number":
        found = mpmath.mpf(_tame(node.value).numerator) / node.value.denominator
    elif node.kind == "name":
        found = values[node.name]
    elif node.kind == "pi":
        found = +mpmath.pi
    else:
        found = _operated(node, [_at(part, values) for part in node.parts])
    size = abs(found)
    if size and not 1 / mpmath.mpf(LARGEST) <= size <= LARGEST:
        if size < mpmath.mpf(10) ** -AGREE and node.kind in ("+", "-", "function"):
            return mpmath.mpf(0)  # a difference that is nothing
        raise _OutOfBoundsError
    return found


def _tame(value: Fraction) -> Fraction:
    if max(value.numerator, value.denominator) > LARGEST:
        raise _OutOfBoundsError
    return value


def _operated(node: Node, parts: list[Any]) -> Any:
    import mpmath

    first = parts[0]
    if node.kind == "function":
        return _function(node.name, parts)
    if node.kind == "neg":
        return -first
    if node.kind == "abs":
        return abs(first)
    if node.kind in ("!", "binomial", "pm"):
        raise _OutOfBoundsError  # of names: not compared
    second = parts[1]
    if node.kind == "root":
        if isinstance(first, mpmath.mpc) or first < 0:
            raise _OutOfBoundsError  # branches
        return mpmath.root(first, int(second)) if second == int(second) and 1 <= second <= 16 else _no()
    if node.kind == "^":
        return _raised(first, second)
    return {"+": lambda: first + second, "-": lambda: first - second, "*": lambda: first * second,
            "/": lambda: first / second}[node.kind]()  # fmt: skip


def _no() -> Any:
    raise _OutOfBoundsError


def _raised(base: Any, exponent: Any) -> Any:
    if abs(exponent) > 200 or (base <= 0 and exponent != int(exponent)) or (base == 0 and exponent <= 0):
        raise _OutOfBoundsError
    return base**exponent


def _function(name: str, parts: list[Any]) -> Any:
    """`log` without a base is the natural one times a number of its own: nobody said which base it has."""
    import mpmath

    value = parts[0]
    if name in ("ln", "log"):
        if value <= 0:
            raise _OutOfBoundsError
        if len(parts) > 1:
            return mpmath.log(value) / mpmath.log(parts[1])
        return mpmath.log(value) * (1 if name == "ln" else mpmath.mpf(7919) / 7907)
    if name in ("arcsin", "arccos") and abs(value) > 1:
        raise _OutOfBoundsError
    named = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
    return getattr(mpmath, named.get(name, name))(value)
