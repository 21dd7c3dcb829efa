"""The kinds of value that an answer can have."""

from __future__ import annotations

from dataclasses import dataclass

from dataflywheel.proposing.answers.node import Node
from dataflywheel.proposing.answers.units import Unit


@dataclass(frozen=True)
class Quantity:
    """An expression and what it counts, if that is said."""

    node: Node
    unit: Unit | None = None
    percent: bool = False


@dataclass(frozen=True)
class Choice:
    """A letter of a question's options, and the option's text where it is repeated."""

    letter: str
    text: str = ""


@dataclass(frozen=True)
class Items:
    r"""Parts between brackets (`(`, `[`, `\{`), or in a row (""); also intervals, which look the same."""

    left: str
    right: str
    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Matrix:
    """Rows of cells, and whether it stands for its determinant."""

    rows: tuple[tuple[Value, ...], ...]
    determinant: bool = False


@dataclass(frozen=True)
class Equation:
    """Two sides; `name` is the left one where it is a single name or a function of names."""

    name: str
    left: Node | None
    right: Value


@dataclass(frozen=True)
class Union:
    """Sets or intervals joined."""

    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Order:
    r"""Sides in ascending order and the signs between them (`<`, `\le`), or two that differ (`\ne`)."""

    signs: tuple[str, ...]
    sides: tuple[Value, ...]


@dataclass(frozen=True)
class Words:
    """Anything else."""

    text: str


Value = Quantity | Choice | Items | Matrix | Equation | Union | Order | Words
