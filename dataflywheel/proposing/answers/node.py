"""The tree of a mathematical expression."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


class NoExpressionError(ValueError):
    """The text is no expression, or has more than one reading."""


@dataclass(frozen=True)
class Node:
    """`number` has its value, `name` its name; any other kind is an operation on its parts."""

    kind: str
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""
