"""DEITA's complexity: how hard a question is, as the expected value of a model's digit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating
from dataflywheel.signals.rating.token_shares import one_word
from dataflywheel.signals.rating.turn_scores import ask_turns, only

INSTRUCTIONS = (
    "You judge how complex a question to an assistant is: how much knowledge, reasoning and how many steps or "
    "constraints a right answer takes. 1 is trivial, 6 is extremely complex."
)
ASK = "How complex is the question, from 1 (trivial) to 6 (extremely complex)? Reply with one digit."


class Digit(Form):
    """The digit, as an example may show it."""

    score: int = Field(ge=1, le=6)


class DeitaComplexity(Instructed, Rating):
    """Column `score`: the sum over turns of the expected digit, each from 1 to 6; `turns` counts them.

    The expectation is over the six digits at the reply's first word, in all their spellings; `mass` is the least
    probability that any turn left to them.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data Selection",
        authors="Liu et al.",
        year=2023,
        paper="2312.15685",
        category="signals",
        subcategory="rating",
        summary="How complex each question is: the expected value of a digit from 1 to 6.",
        needs=("endpoint",),
        cost="$",
        checked="expected values computed by hand from planted token probabilities, in all spellings of the digits",
        pays="Questions to be ranked from easy to hard in talks of several turns, by a server that tells "
        "log-probabilities.",
        fails="The sum over turns makes long talks complex, and a weak model puts little on the digits: bound `turns`, "
        "see `mass`, or count tags by `instag`.",
        evidence="The authors, with trained scorers and quality beside it, MT-Bench: 7.32 with 10k rows, 5.89 with 10k "
        "random ones; here (`benchmarks/real_model.md`): 135 M parameters, 3 of 4 rows read.",
    )
    answered_in: ClassVar[type[Form] | None] = Digit
    columns: ClassVar[dict[str, pa.DataType]] = {
        "score": pa.float32(),
        "turns": pa.int32(),
        "mass": pa.float32(),
        **COST_COLUMNS,
    }
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")
    answer_tokens: ClassVar[int] = 2

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        return [
            only(turns)
            for turns in ask_turns(client, rows, [partial(complexity_request, self.instructions)], self.name)
        ]

    def can_ask(self, row: Asked) -> bool:
        return any(asked.strip() for asked, _ in row.turns)


def complexity_request(instructions: str, asked: str, answer: str) -> Request:
    """The question about one turn; the answer is not shown."""
    return question(instructions, {"question": asked}, ASK, one_word())
