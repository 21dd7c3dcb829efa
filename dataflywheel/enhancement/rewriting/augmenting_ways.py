"""Ways to make another text of a text, as a model thinks of them for one task, and what it thinks of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for

WAYS = (
    "The material is some texts of one task. Write {count} ways to make another text of such a text, each in one "
    "sentence that tells a writer what to do, such as: Put it as a message to a friend. The ways differ, "
    "suit these texts, and leave what a text says, and its label where it has one, as it is."
)
ASK_WAYS = "In which {count} ways can another text be made of such a text? Write the list `ways`."
GRADE = (
    "The material is some texts of one task, and a way to make another text of such a text. Say in `analysis` whether "
    "what is made so would still say the same and be of use as one more example, then give a `score` from 1 to 10."
)
ASK_GRADE = "How good is the way for these texts? Write `analysis`, and then `score`: 1 to 10."
NO_WAY = "no way"
SHOWN = 3
"""Texts that ways are written for and graded by."""
Scored = tuple[list[float], list[Reply]]
"""What each way is worth, and what was asked to know it."""


class Ways(Form):
    """Ways to make another text of one."""

    ways: list[str] = Field(min_length=1)


class Graded(Form):
    """What a way is worth to the model."""

    analysis: str = words(800)
    score: int = Field(ge=1, le=10)


@dataclass(frozen=True)
class Choice:
    """The ways of one task with their scores, best first; or why there are none."""

    ways: tuple[tuple[str, float], ...] = ()
    why: str = ""
    replies: tuple[Reply, ...] = ()


def written(
    client: Asks, told: str, count: int, texts: Sequence[str], sampling: Sampling
) -> tuple[list[str], str, list[Reply]]:
    """So many ways at most, or why there are none, and what was asked."""
    instructions, ask = (filled(text, count=count) for text in (told, ASK_WAYS))
    (answer,) = ask_for(client, [question(instructions, _shown(texts), ask, sampling)], Ways)
    if answer.value is None:
        return [], failure(answer), list(answer.replies)
    ways = list(dict.fromkeys(way.strip() for way in answer.value.ways if way.strip()))[:count]
    return ways, "" if ways else f"{NO_WAY}: the list is empty", list(answer.replies)


def graded(client: Asks, told: str, texts: Sequence[str], ways: Sequence[str], sampling: Sampling) -> Scored:
    """The model's own score of each way, from 0 (none was given) to 1."""
    asked = [question(told, {**_shown(texts), "way": way}, ASK_GRADE, sampling) for way in ways]
    grades = ask_for(client, asked, Graded)
    scores = [one.value.score / 10 if one.value else 0.0 for one in grades]
    return scores, [reply for one in grades for reply in one.replies]


def _shown(texts: Sequence[str]) -> dict[str, str]:
    return {f"text {n}": text for n, text in enumerate(texts, 1)}
