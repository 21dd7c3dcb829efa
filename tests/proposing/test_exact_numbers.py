"""Numbers against Python's own fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.proposing.exact_numbers import NotArithmeticError, evaluate, parse_number, plain_math


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-5", -5), ("5", 5), ("+5", 5), ("1/2", Fraction(1, 2)), ("12", 12), ("10%", Fraction(1, 10)),
        ("1,000", 1000), ("1,234,567.5", Fraction(2469135, 2)), ("$72", 72), ("-$5", -5), ("$-5", -5), ("3.", 3),
        (".5", Fraction(1, 2)), ("1e3", 1000), ("72 apples", 72), ("5 square miles", 5), ("\u22123", -3),
    ],
)  # fmt: skip
def test_numbers(text: str, value: Fraction | int) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "five", "1,00", "1,0000", "5 to 7", "5-7", "1/0", "5 million", "5k", "3 or 4", "12:30", "2+3", "1.2.3", "--5",
     "-$-5", "5 half", "10 percent", "x = 5", "1" * 2000],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert parse_number(text) is None


@given(st.fractions(max_denominator=10**6))
def test_a_fraction_is_read_as_itself(value: Fraction) -> None:
    assert parse_number(f"{value.numerator}/{value.denominator}") == value
    assert parse_number(f"{value.numerator:,}") == value.numerator


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


def test_latex_of_the_simple_kind_is_undressed() -> None:
    assert parse_number(plain_math(r"$\dfrac{3}{4}$")) == Fraction(3, 4)
    assert parse_number(plain_math(r"\$1{,}200")) == 1200
    assert parse_number(plain_math(r"25\%")) == Fraction(1, 4)
    assert plain_math(r"\sqrt{2}") == r"\sqrt{2}"
