from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.signals.wording.number import SMALL, TENS
from dataflywheel.signals.wording.numbers import numbers


def values(text: str) -> list[tuple[str, str]]:
    return [(n.value, n.unit) for n in numbers(text)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1,000", "1000"),
        ("2.50", "2.5"),
        ("$5", "5 dollars"),
        ("10 percent", "10%"),
        ("3 km", "3 kilometres"),
        ("two hours", "2 hrs"),
        ("1.5 million", "1,500,000"),
        ("twenty-five", "25"),
        ("one thousand two hundred and thirty-four", "1,234"),
        ("two thousand, two hundred point zero four", "2200.04"),
        ("a 5-mile run", "5 miles"),
        ("-4", "\u22124"),
        ("minus forty-two", "-42"),
        ("seven pm", "19:00"),
        ("eleven o'clock pm", "11 pm"),
        ("half past three", "3:30"),
        ("a quarter to six", "5:45"),
        ("noon", "12:00 pm"),
        ("9 o'clock in the evening", "21:00"),
        ("June fifth", "5 June"),
        ("june fifth", "5 June"),
        ("the twenty-fifth of December", "25 December"),
        ("5 square metres", "5 m\u00b2"),
        ("60 kilometres per hour", "60 km/h"),
        ("180 degrees Celsius", "180 \u00b0C"),
        ("61 \u00b0C", "61\u00b0c"),
        ("\u00bd", "1/2"),
        ("1\u00bd", "1 1/2"),
        ("one and a half", "1.5"),
        ("two thirds", "2/3"),
        ("9 am", "9:00 a.m."),
        ("5:30 pm", "17:30"),
        ("four o'clock", "4 o\u2019clock"),
        ("January 5", "the 5th of January"),
        ("a dozen", "12"),
        ("1\u202f000", "1,000"),
        ("10k", "10,000"),
    ],
)
def test_spellings_of_one_number_are_one(a: str, b: str) -> None:
    assert values(a) == values(b)
    assert len(values(a)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x2, H2O and gpt4", []),
        ("1. red\n2) blue 7", [("7", "")]),
        ("3-5 apples", [("3", ""), ("5", "")]),
        ("8 - 3 = 5", [("8", ""), ("3", ""), ("5", "")]),
        ("in the 1990s at 3pm", [("1990", "era"), ("15:00", "time")]),
        ("nine eleven", [("9", ""), ("11", "")]),
        ("1, 2, 3", [("1", ""), ("2", ""), ("3", "")]),
        ("the 2nd of 10", [("2", "th"), ("10", "")]),
        ("\u5171\u670938\u4efd", [("38", "")]),
        ("Step 1: Boil 3 eggs.\nStep 2. Peel", [("3", "")]),
        ("Do (1) this, (2) that and (3) those 4 things", [("4", "")]),
        ("- 1) red\n**2.** blue\nQ3: 5", [("5", "")]),
        ("It is\n4.", [("4", "")]),
        ("1,2,3", [("1", ""), ("2", ""), ("3", "")]),
        ("on 2020-01-05", [("01-05", "date"), ("2020", "")]),
        ("24/7 and 48/2", [("24", ""), ("7", ""), ("48", ""), ("2", "")]),
    ],
)
def test_numbers_in_order_with_their_units(text: str, expected: list[tuple[str, str]]) -> None:
    assert values(text) == expected


def test_one_may_be_no_number() -> None:
    assert [n.sure for n in numbers("one of two")] == [False, True]


def spelled(n: int) -> str:
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{SMALL[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{SMALL[n // 100]} hundred" + (f" and {spelled(n % 100)}" if n % 100 else "")
    return f"{spelled(n // 1000)} thousand" + (f" {spelled(n % 1000)}" if n % 1000 else "")


@given(st.integers(0, 999_999))
def test_every_number_is_read_in_digits_groups_and_words(n: int) -> None:
    assert values(f"It is {n}, as said.") == values(f"It is {n:,}, as said.") == [(str(n), "")]
    assert [n.value for n in numbers(f"It is {spelled(n)}, as said.")] == [str(n)]


@given(st.text(max_size=200))
def test_numbers_stand_where_they_say(text: str) -> None:
    found = numbers(text)
    assert [n.start for n in found] == sorted(n.start for n in found)
    assert all(0 <= n.start < n.end <= len(text) for n in found)


def test_no_number_is_counted_in_hundreds_of_hundreds() -> None:
    assert {n.value for n in numbers("hundred " * 2200)} == {"100"}
    assert values("two hundred thousand million") == [("200000000000", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one am I", ["1"]),
        ("You may first wash it", ["1"]),
        ("a second march", ["2"]),
        ("from five to six people", ["5", "6"]),
        ("the twenty-first century", ["21"]),
        ("5 metres", ["5"]),
    ],
)
def test_what_only_looks_like_a_date_or_a_clock_is_none(text: str, expected: list[str]) -> None:
    assert [n.value for n in numbers(text)] == expected
