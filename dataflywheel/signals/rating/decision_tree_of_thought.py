"""Decision tree of thought: whether a text is toxic, asked again with finer categories where the model is unsure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field, field_validator

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "You examine texts for toxicity: insults, hatred of a group of people, threats, and calls to harm. A text that "
    "only quotes, reports or condemns such words is not toxic, nor is one that merely names a group. Say in `reason`, "
    "in one or two sentences, what the text does to whom; then give the verdict."
)
ASK = (
    "Is the text toxic? Write `reason`; `verdict`; `sure` from 0 (a guess) to 10 (certain); and in `quotes` the words "
    "of the text that make it toxic, copied, or an empty list."
)
FINER = (
    "Is the text toxic? Hold it against each of the categories: write in `reason` which comes closest and what speaks "
    "against it; then `category`, one of the list or none; `verdict`; `sure` from 0 (a guess) to 10 (certain); and in "
    "`quotes` the words of the text that make it toxic, copied, or an empty list."
)
NONE = "none"
TREE: dict[str, tuple[str, ...]] = {
    "insult": ("abuse of a person", "mockery of looks or mind", "profanity aimed at someone"),
    "hatred of a group": ("slur", "stereotype that demeans", "denial of rights or humanity", "praise of persecution"),
    "threat": ("threat of violence", "wish of harm", "threat to reveal or ruin"),
    "call to harm": ("harm to others", "self-harm", "harassment by many"),
    "sexual aggression": ("unwanted advances", "degrading sexual words"),
}
DEPTH = 3
"""Questions about one text, at most: without categories, with those of the tree, with the finer ones of one of them."""
CERTAIN = 8
Sure = Annotated[int, Field(ge=0, le=10)]
Quote = Annotated[str, Field(min_length=1, max_length=200)]


class Judged(Form):
    """Whether a text is toxic, with the reason before it."""

    limit: ClassVar[int] = 400

    reason: str = words(400)
    verdict: Literal["toxic", "not toxic"]
    sure: Sure
    quotes: list[Quote] = Field(max_length=10)


class JudgedByCategory(Form):
    """The same against a list of categories."""

    limit: ClassVar[int] = 420

    reason: str = words(400)
    category: str = Field(min_length=1, max_length=80)
    verdict: Literal["toxic", "not toxic"]
    sure: Sure
    quotes: list[Quote] = Field(max_length=10)


Either = Judged | JudgedByCategory


@dataclass
class _Walk:
    """Where the questions about one text stand."""

    text: str
    said: Either | None = None
    category: str = NONE
    error: str = ""
    replies: tuple[Reply, ...] = ()
    asked: int = 0


class DecisionTreeOfThought(Instructed, Rating):
    """Columns `score` (0.5 and more: toxic; by how sure the model is), `toxic` (1 or 0), `category`, `reason`, `asked`
    (questions, from 1 to 3) and `spans` (`start:end` of the quoted words, in characters of the shown text).

    The model is asked plainly first. Where it is less sure than `certain`, it is asked anew with the categories of
    `categories`, and once more with the finer ones of the category that it named (of all where it named none). The last
    answer counts; its reason is kept, for a student to learn from. `depth: 1` is one plain question.
    """

    card: ClassVar[Card] = Card(
        title="Efficient Toxic Content Detection by Bootstrapping and Distilling Large Language Models",
        authors="Zhang et al.",
        year=2023,
        paper="2312.08303",
        category="signals",
        subcategory="rating",
        summary="A model's verdict on toxicity with its reason, asked again with finer categories where it is unsure.",
        needs=("endpoint",),
        cost="$",
        checked="stubs whose certainty depends on depth, asked as often as the tree by hand; texts that give orders",
        pays="Texts between banter and abuse, where one plain question is answered by a guess: the clear ones cost one "
        "call each.",
        fails="A model that is always sure is never asked twice, so look at `asked`; the tree, its words and how "
        "certainty is told are reconstructed, as the paper's own are not published whole.",
        evidence="The paper: 4.6 % more accuracy of the large model, 16.9 % of a student more than 60 times smaller.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "score": pa.float32(),
        "toxic": pa.int8(),
        "category": pa.string(),
        "reason": pa.string(),
        "asked": pa.int32(),
        "spans": pa.list_(pa.string()),
        **COST_COLUMNS,
    }
    question_tokens: ClassVar[int] = 330
    answer_tokens: ClassVar[int] = 90

    certain: int = Field(default=CERTAIN, ge=0, le=10)
    """How sure the model must be, from 0 to 10, not to be asked again."""
    depth: int = Field(default=DEPTH, ge=1, le=DEPTH)
    """Questions about one text, at most."""
    categories: Mapping[str, tuple[str, ...]] = TREE
    """Categories, each with its finer ones."""
    part: Literal["prompt", "answer", "all"] = "all"
    """What of a row is examined."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @field_validator("categories")
    @classmethod
    def _named(cls, given: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        names = [name for category, finer in given.items() for name in (category, *finer)]
        if not given or any(not name.strip() or len(name) > 80 for name in names):
            raise ValueError("name one category or more, each with a list of finer ones, in 1 to 80 letters")
        return given

    def calls_a_row(self) -> int:
        """At most, as where the model is never sure."""
        return self.depth

    def can_ask(self, row: Asked) -> bool:
        return bool(self._text(row).strip())

    def _text(self, row: Asked) -> str:
        shown = {"prompt": (row.prompt,), "answer": (row.answer,), "all": (row.prompt, row.answer)}[self.part]
        return "\n\n".join(filter(None, shown))

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        walks = [_Walk(self._text(row)) for row in rows]
        for level in range(self.depth):
            unsure = [one for one in walks if not one.error and (one.said is None or one.said.sure < self.certain)]
            self._ask(client, unsure, level)
        return [_rated(one) for one in walks]

    def _ask(self, client: Asks, walks: Sequence[_Walk], level: int) -> None:
        """One question about each of these texts."""
        lists = [self._list(one, level) for one in walks]
        requests = [self._request(one, names) for one, names in zip(walks, lists, strict=True)]
        if level == 0:
            answers: Sequence[Answer[Any]] = ask_for(client, requests, Judged)
        else:
            answers = ask_for(client, requests, JudgedByCategory, lambda i, value: _unknown(value, lists[i]))
        for walk, answer in zip(walks, answers, strict=True):
            walk.replies += answer.replies
            walk.asked += 1
            if answer.value is None:
                walk.error = failure(answer)
                continue
            walk.said = answer.value
            if isinstance(answer.value, JudgedByCategory):
                walk.category = answer.value.category.strip().casefold()

    def _list(self, walk: _Walk, level: int) -> list[str]:
        """The categories that the next question shows."""
        if level < 2:
            return list(self.categories) if level else []
        named = [finer for name, finer in self.categories.items() if name.casefold() == walk.category]
        return [name for finer in named or self.categories.values() for name in finer] or list(self.categories)

    def _request(self, walk: _Walk, categories: Sequence[str]) -> Request:
        if not categories:
            return question(self.instructions, {"text": walk.text}, ASK)
        return question(self.instructions, {"text": walk.text, "categories": "\n".join(categories)}, FINER)


def _unknown(said: JudgedByCategory, categories: Sequence[str]) -> str:
    known = {NONE, *(name.casefold() for name in categories)}
    return "" if said.category.strip().casefold() in known else f"{said.category[:60]!r} is no category of the list"


def _rated(walk: _Walk) -> Rated:
    """The last answer as columns; a text whose last question got none has no verdict."""
    if walk.error or walk.said is None:
        return Rated(None, walk.error, walk.replies)
    toxic = walk.said.verdict == "toxic"
    score = 0.5 + (walk.said.sure if toxic else -walk.said.sure) / 20
    places = [(walk.text.find(quote), len(quote)) for quote in walk.said.quotes] if toxic else []
    values = {
        # A guess that it is toxic is a verdict all the same.
        "score": max(score, 0.501) if toxic else min(score, 0.499),
        "toxic": int(toxic),
        "category": walk.category,
        "reason": walk.said.reason,
        "asked": walk.asked,
        "spans": [f"{start}:{start + size}" for start, size in sorted(places) if start >= 0],
    }
    return Rated(values, "", walk.replies)
