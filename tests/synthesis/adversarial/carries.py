"""A planted weakness: sums of two numbers of two digits, few of which carry, and a model that cannot carry."""

from __future__ import annotations

import re

import numpy as np

from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.models.endpoint.fake import FakeClient, user_text

ASKED = re.compile(r"Add (\d) (\d) and (\d) (\d)\.")
ADDER = ModelSpec(endpoint="http://127.0.0.1:9/v1", model="adds without carrying")
TEACHER = ModelSpec(endpoint="http://127.0.0.1:9/v1", model="adds")


def numbers(text: str) -> tuple[int, int] | None:
    """The two numbers of a question of this world."""
    found = ASKED.fullmatch(text)
    return (int(found[1] + found[2]), int(found[3] + found[4])) if found else None


def carries(a: int, b: int) -> bool:
    return a % 10 + b % 10 >= 10 or a // 10 + b // 10 >= 10


def sum_row(a: int, b: int) -> Row:
    tags = ["carry" if carries(a, b) else "plain", "sums"]
    return prompt_answer_row(f"Add {spaced(a)} and {spaced(b)}.", f"#### {spaced(a + b)}", source="sums", tags=tags)


def spaced(number: int) -> str:
    """Digit by digit, so that each is a token."""
    return " ".join(str(number))


def sums(rows: int, carrying: float, seed: int) -> list[Row]:
    """Different sums, of which this share carries."""
    rng, found = np.random.default_rng(seed), dict[tuple[int, int], Row]()
    while len(found) < rows:
        wanted = rng.random() < carrying
        a, b = rng.integers(10, 100, 2).tolist()
        while carries(a, b) != wanted:
            a, b = rng.integers(10, 100, 2).tolist()
        found[a, b] = sum_row(a, b)
    return list(found.values())


def exact(request: Request) -> str:
    """The right answer, or none to what is no sum."""
    found = numbers(user_text(request))
    return f"#### {spaced(sum(found))}" if found else "That is no sum,\nas far as I can see."


def without_carrying(request: Request) -> str:
    """Each digit by itself."""
    found = numbers(user_text(request))
    if found is None:
        return "I do not know,\nI am afraid."
    a, b = found
    return f"#### {spaced((a // 10 + b // 10) % 10 * 10 + (a + b) % 10)}"


def adder() -> FakeClient:
    return FakeClient(without_carrying)


def teacher() -> FakeClient:
    return FakeClient(exact)
