"""QuRating: how a row fares when it is compared with others, as a strength with its standard error."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, FloatArray, FlywheelError, UsageError
from dataflywheel.models.endpoint.quoting import Question, question
from dataflywheel.models.endpoint.structured import Answer, Asks, Numbered, ask_for, same_id
from dataflywheel.rows.reading import read_file
from dataflywheel.signals.rating.bradley_terry import Strengths, bradley_terry, strength_against
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating, asked

INSTRUCTIONS = (
    "The material is two texts, A and B. Say which of them {criterion}. Judge nothing else; neither length nor the "
    "order in which they are shown matters. Reply with the question's id and `better`: A or B."
)
CRITERIA = {
    "educational_value": "has the higher educational value: it explains something, step by step, that is worth knowing",
    "required_expertise": "needs the greater expertise to be understood",
    "facts": "holds more facts and details about the world",
    "writing_style": "is written in the better style: clear, polished and pleasant to read",
}
MOST_ANCHORS = 200


class Choice(Numbered):
    better: Literal["A", "B"]


class QuRating(Rating):
    """Column `strength`: the Bradley-Terry strength in logits against anchor rows, and its `standard_error`.

    Anchors are fixed rows. They are compared among themselves once, which gives their strengths; each row then meets
    some of them, chosen by its id, in both orders, and is placed on their scale. So a row's value depends on no other
    row of the pool, the comparison graph is always connected, and new rows cost only their own comparisons.
    `consistent` is the share of its pairs with the same winner in both orders; others count as a draw.
    """

    name: ClassVar[str] = "qurating"
    card: ClassVar[Card] = Card(
        title="QuRating: Selecting High-Quality Data for Training Language Models",
        authors="Wettig et al.",
        year=2024,
        paper="2402.09739",
        category="signals",
        subcategory="rating",
        summary="Pairwise comparisons with anchor rows, in both orders, as a strength with its standard error.",
        needs=("endpoint",),
        cost="$$",
        checked="planted strengths from 20 comparisons a row at 10 % noise; a judge with a position bias",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "strength": pa.float32(),
        "standard_error": pa.float32(),
        "consistent": pa.float32(),
        "pairs": pa.int32(),
        **COST_COLUMNS,
    }
    texts_a_call: ClassVar[int] = 2

    anchors: str
    """A file of rows in any readable format, 5 to 200 of them: a random sample of the pool serves well."""
    criterion: Literal["educational_value", "required_expertise", "facts", "writing_style"] = "educational_value"
    """What is compared."""
    comparisons: int = Field(default=10, ge=1)
    """Anchors that each row meets, each in both orders."""

    def calls_a_row(self) -> int:
        return 2 * self.comparisons

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        anchors = anchor_rows(self.anchors, self.max_chars)
        scale = self._scale(client, anchors)
        opponents = [opponents_of(row.id, [anchor.id for anchor in anchors], self.comparisons) for row in rows]
        pairs = [(row, anchors[j]) for row, chosen in zip(rows, opponents, strict=True) for j in chosen]
        met = iter(self._compare(client, pairs))
        return [_placed([next(met) for _ in chosen], scale.value[chosen]) for chosen in opponents]

    def can_ask(self, row: Asked) -> bool:
        return bool((row.prompt + row.answer).strip())

    def model_digest(self) -> str:
        contents = "".join(anchor.id for anchor in anchor_rows(self.anchors, self.max_chars))
        return hashlib.blake2b(f"{super().model_digest()}:{contents}".encode(), digest_size=8).hexdigest()

    def placeless(self) -> Self:
        return super().placeless().model_copy(update={"anchors": ""})

    def _scale(self, client: Asks, anchors: Sequence[Asked]) -> Strengths:
        """Strengths of the anchors: each meets its next neighbours on a ring, so that all are connected."""
        n = len(anchors)
        reach = min(-(-self.comparisons // 2), (n - 1) // 2)
        ring = [(i, (i + step) % n) for step in range(1, reach + 1) for i in range(n)]
        wins = np.zeros((n, n))
        for (i, j), met in zip(ring, self._compare(client, [(anchors[i], anchors[j]) for i, j in ring]), strict=True):
            if met.won is not None:
                wins[i, j], wins[j, i] = met.won, 1 - met.won
        if not wins.any():
            raise FlywheelError(
                f"qurating: none of {len(ring)} comparisons of the anchors with each other was answered"
            )
        return bradley_terry(wins)

    def _compare(self, client: Asks, pairs: Sequence[tuple[Asked, Asked]]) -> list[Met]:
        """The outcome of each pair, asked in both orders."""
        instructions = INSTRUCTIONS.format(criterion=CRITERIA[self.criterion])
        questions = [_question(instructions, *order) for one, other in pairs for order in ((one, other), (other, one))]
        answers = ask_for(client, [q.request for q in questions], Choice, same_id(questions))
        return [_met(answers[i], answers[i + 1]) for i in range(0, len(answers), 2)]


@dataclass(frozen=True)
class Met:
    """How the first of two texts fared over both orders: `won` is 1, 0.5 or 0, or None where an answer is missing."""

    won: float | None
    answers: tuple[Answer[Choice], Answer[Choice]]


def _met(forth: Answer[Choice], back: Answer[Choice]) -> Met:
    if forth.value is None or back.value is None:
        return Met(None, (forth, back))
    return Met(((forth.value.better == "A") + (back.value.better == "B")) / 2, (forth, back))


def _question(instructions: str, one: Asked, other: Asked) -> Question:
    texts = {name: "\n\n".join(filter(None, (row.prompt, row.answer))) for name, row in (("A", one), ("B", other))}
    return question(instructions, texts)


def _placed(met: Sequence[Met], anchors: FloatArray) -> Rated:
    """The row's strength from its readable pairs; none where there is no such pair."""
    bought = tuple(reply for one in met for answer in one.answers for reply in answer.replies)
    won = np.array([np.nan if one.won is None else one.won for one in met])
    read = np.isfinite(won)
    if not read.any():
        bad = next(answer for answer in met[0].answers if answer.value is None)
        return Rated(None, f"{bad.outcome.value}: {bad.error}", bought)
    strength, error = strength_against(anchors[read], won[read], np.ones(read.sum()))
    consistent = float((won[read] != 0.5).mean())
    values = {"strength": strength, "standard_error": error, "consistent": consistent, "pairs": int(read.sum())}
    return Rated(values, "", bought)


def opponents_of(id: str, anchors: Sequence[str], count: int) -> list[int]:
    """Positions of the anchors that a row meets: those whose hash with the row's id is least, never itself."""
    hashes = {
        i: hashlib.blake2b(f"{id}:{anchor}".encode(), digest_size=8).digest()
        for i, anchor in enumerate(anchors)
        if anchor != id
    }
    return sorted(sorted(hashes, key=lambda i: hashes[i])[:count])


@lru_cache(maxsize=8)
def anchor_rows(path: str, max_chars: int) -> tuple[Asked, ...]:
    """The anchors, in the order of their ids.

    Raises:
        UsageError: too few rows, or too many.
    """
    table, _ = read_file(str(Path(path).expanduser()))
    rows = dict(zip(table["id"].to_pylist(), table["messages"].to_pylist(), strict=True))
    if not 5 <= len(rows) <= MOST_ANCHORS:
        raise UsageError(f"qurating: {path} holds {len(rows)} different rows; give 5 to {MOST_ANCHORS} as anchors")
    return tuple(asked(id, rows[id], max_chars) for id in sorted(rows))
