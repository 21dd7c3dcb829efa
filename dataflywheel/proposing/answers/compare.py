"""Whether two answers are equal. Never said of two that may differ; what has several readings is equal to itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from dataflywheel.proposing.answers.equal_expressions import NotRationalError, equal, exact
from dataflywheel.proposing.answers.node import Node
from dataflywheel.proposing.answers.plain import plain_math
from dataflywheel.proposing.answers.reading import read
from dataflywheel.proposing.answers.units import Unit
from dataflywheel.proposing.answers.values import Choice, Equation, Items, Matrix, Order, Quantity, Union, Value, Words

_SIGNS = re.compile(r"\s*([:;=<>]|\\(?:[lgn]e|times)(?![A-Za-z]))\s*")
_QUOTES = re.compile(r"^(['\"`*_]{1,3})(.*)\1$", re.DOTALL)


def same_answer(given: str, gold: str) -> bool:
    r"""Whether two answers are equal, by value where both have one, else as text.

    - Numbers exactly, in any usual way of writing, with number words of size: 3 thousand is 3,000. A percentage is its
      fraction: 10 % is 0.1 and not 10. What is rounded is not equal.
    - Units of one dimension are converted, others must be the same; a number without a unit is equal to the same number
      with one, since a question often names it. A word that may be anything else makes the whole a text.
    - Expressions by what they are worth. `x = 5` is 5. Tuples and intervals by place and bracket, sets in any order,
      matrices cell by cell, letters of choices in any dress; a letter with its option's text is its letter.
    - Texts without outer punctuation and runs of white space, and without case where that can be no formula.

    >>> same_answer("1,000", "1000.0"), same_answer("10%", "0.1"), same_answer("-5", "5"), same_answer("1/2", "12")
    (True, True, False, False)
    >>> same_answer("5 minutes", "5 hours"), same_answer("60 minutes", "1 hour"), same_answer(r"\text{(B)}", "B.")
    (False, True, True)
    """
    one, other = plain_math(given), plain_math(gold)
    if one == other:
        return one != ""
    return equal_values(_read(one), _read(other))


@lru_cache(maxsize=4096)
def _read(text: str) -> Value:
    return read(text)


def number_of(text: str) -> Fraction | None:
    """The one rational number that a text is, whatever it counts; None where it is anything else.

    >>> number_of("-5"), number_of("$1,000"), number_of("10%"), number_of("72 apples"), number_of("5 to 7")
    (Fraction(-5, 1), Fraction(1000, 1), Fraction(1, 10), Fraction(72, 1), None)
    """
    value = _read(plain_math(text))
    if isinstance(value, Equation):
        value = value.right
    if not isinstance(value, Quantity):
        return None
    try:
        return exact(value.node)
    except NotRationalError:
        return None


def equal_values(one: Value, other: Value) -> bool:
    """Whether two values are the same; of different kinds they rarely are."""
    if isinstance(one, Equation) != isinstance(other, Equation):
        equation, value = (one, other) if isinstance(one, Equation) else (other, one)
        assert isinstance(equation, Equation)
        return equation.left is None and equal_values(equation.right, value)
    if isinstance(one, Items) and isinstance(other, Items):
        return _equal_items(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return _equal_quantities(one, other)
    if isinstance(one, Choice) and isinstance(other, Choice):
        texts = one.text, other.text
        return one.letter == other.letter and ("" in texts or same_answer(*texts))
    if isinstance(one, Equation) and isinstance(other, Equation):
        return _equal_equations(one, other)
    if isinstance(one, Matrix) and isinstance(other, Matrix):
        return one.determinant == other.determinant and _equal_rows(one.rows, other.rows)
    if isinstance(one, Order) and isinstance(other, Order):
        same = _equal_rows((one.sides,), (other.sides,))
        turned = one.signs == ("\\ne",) and _equal_rows((one.sides,), (other.sides[::-1],))
        return one.signs == other.signs and (same or turned)
    if isinstance(one, Union) and isinstance(other, Union):
        return _equal_sets(one.parts, other.parts)
    if isinstance(one, Words) and isinstance(other, Words):
        return _folded(one.text) == _folded(other.text) != ""
    return False


def _equal_items(one: Items, other: Items) -> bool:
    brackets = (one.left, one.right), (other.left, other.right)
    if ("\\{", "\\}") in brackets and all(pair in (("", ""), ("\\{", "\\}")) for pair in brackets):
        return _equal_sets(one.parts, other.parts)
    if brackets == (("", ""), ("", "")) and _named(one) and _named(other):
        return _equal_sets(one.parts, other.parts)
    return brackets[0] == brackets[1] and _equal_rows((one.parts,), (other.parts,))


def _named(items: Items) -> bool:
    """Whether every part is the value of a name of its own, so that their order says nothing."""
    names = [part.name for part in items.parts if isinstance(part, Equation) and part.left is None]
    return len(set(names)) == len(items.parts)


def _equal_rows(one: Sequence[Sequence[Value]], other: Sequence[Sequence[Value]]) -> bool:
    return len(one) == len(other) and all(
        len(a) == len(b) and all(equal_values(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(one, other, strict=True)
    )


def _equal_sets(one: Sequence[Value], other: Sequence[Value]) -> bool:
    return all(any(equal_values(x, y) for y in other) for x in one) and all(
        any(equal_values(x, y) for x in one) for y in other
    )


def _equal_equations(one: Equation, other: Equation) -> bool:
    if one.left is None or other.left is None:
        return one.left is other.left and one.name == other.name and equal_values(one.right, other.right)
    if not (isinstance(one.right, Quantity) and isinstance(other.right, Quantity)):
        return False
    if one.right.unit or other.right.unit:
        return False
    return equal(Node("-", (one.left, one.right.node)), Node("-", (other.left, other.right.node)), up_to_sign=True)


def _equal_quantities(one: Quantity, other: Quantity) -> bool:
    units = one.unit, other.unit
    if units[0] is not None and units[1] is not None:
        if units[0].dimensions != units[1].dimensions:
            return False
        return equal(_measured(one.node, units[0]), _measured(other.node, units[1]))
    if one.percent != other.percent and any(units):
        return False  # 5 % is no $0.05
    return all(unit is None or unit.sure for unit in units) and equal(one.node, other.node)


def _measured(node: Node, unit: Unit) -> Node:
    return node if unit.factor == 1 else Node("*", (node, Node("number", value=unit.factor)))


def _folded(text: str) -> str:
    """Without quotes around the whole, end marks of a sentence, and case where every word is written as words are."""
    quoted = _QUOTES.match(text)
    text = re.sub(
        r"\s*([:;=<>]|\\(?:[lgn]e|times)(?![A-Za-z]))\s*", r"\1", " ".join((quoted[2] if quoted else text).split())
    )
    if re.search(r"[^\W\d_]{2}[.!]+$", text):
        text = text.rstrip(".!")
    words = re.findall(r"[^\W\d_]+", text)
    plain = all(len(word) > 2 or word.lower() in ("no", "yes") for word in words) or len(words) > 1
    if plain and all(word.islower() or word.isupper() or word.istitle() for word in words):
        return text.casefold()
    return text
