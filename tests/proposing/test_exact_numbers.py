"""Numbers against Python's own fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.proposing.exact_numbers import NotArithmeticError, evaluate

LEAVES = st.integers(-50, 50).map(lambda n: (f"({n})", Fraction(n)))


def both(children: st.SearchStrategy[tuple[str, Fraction]]) -> st.SearchStrategy[tuple[str, Fraction]]:
    def join(parts: tuple[tuple[str, Fraction], str, tuple[str, Fraction]]) -> tuple[str, Fraction]:
        (left, x), op, (right, y) = parts
        if op == "/" and not y:
            op = "*"
        return f"({left} {op} {right})", {"+": x + y, "-": x - y, "*": x * y}[op] if op != "/" else x / y

    return st.tuples(children, st.sampled_from("+-*/"), children).map(join)


@given(st.recursive(LEAVES, both, max_leaves=12))
def test_expressions_are_exact(pair: tuple[str, Fraction]) -> None:
    text, value = pair
    assert evaluate(text) == value


def test_more_of_expressions() -> None:
    assert evaluate("0.1 + 0.2") == Fraction(3, 10)
    assert evaluate("2**10 % 7 + 17 // 5") == 1024 % 7 + 3
    assert evaluate("1,000 \u00d7 3 \u00f7 4") == 750
    assert evaluate("2**-2") == Fraction(1, 4)


@pytest.mark.parametrize(
    "text",
    ["", "x + 1", "1/0", "2**0.5", "9**9**9", "2**100000", "(" * 900, "__import__('os')", "1 if 1 else 2", "'a'*9",
     "True", "1;2", "[1]", "1j", "9" * 5000, "0**-1", "1 << 5"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NotArithmeticError):
        evaluate(text)
