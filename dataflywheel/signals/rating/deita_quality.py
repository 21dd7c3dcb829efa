"""DEITA's quality: how good an answer is, as the expected value of a model's digit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.deita_complexity import DeitaComplexity, Digit
from dataflywheel.signals.rating.rating import Asked, Rated, Rating
from dataflywheel.signals.rating.token_shares import one_word
from dataflywheel.signals.rating.turn_scores import ask_turns, only

INSTRUCTIONS = (
    "You judge how good an assistant's answer to a question is: helpful, relevant, accurate, deep, and with the detail "
    "that the question calls for. 1 is very poor, 6 is excellent."
)
ASK = "How good is the answer, from 1 (very poor) to 6 (excellent)? Reply with one digit."


class DeitaQuality(Instructed, Rating):
    """Column `score`: the sum over turns of the expected digit, each from 1 to 6; `turns` and `mass` as for
    complexity."""

    version: ClassVar[int] = 2
    card: ClassVar[Card] = DeitaComplexity.card.model_copy(
        update={
            "summary": "How good each answer is: the expected value of a digit from 1 to 6.",
            "pays": "Answers to be ranked by an expected digit, finer than a grade, on a server that tells "
            "log-probabilities.",
            "fails": "The sum over turns favours long talks, and a weak model does not answer by a digit at all: see "
            "`mass`, or take `alpagasus`, whose form a schema holds.",
            "evidence": "The authors, with trained scorers and complexity beside it, MT-Bench: 7.32 with 10k rows, "
            "5.89 with 10k random ones; here (`benchmarks/real_model.md`): 135 M parameters, 0 of 4 rows read.",
        }
    )
    answered_in: ClassVar[type[Form] | None] = Digit
    columns: ClassVar[dict[str, pa.DataType]] = DeitaComplexity.columns
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")
    answer_tokens: ClassVar[int] = 2

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        return [
            only(turns) for turns in ask_turns(client, rows, [partial(quality_request, self.instructions)], self.name)
        ]

    def can_ask(self, row: Asked) -> bool:
        return any(asked.strip() and answer.strip() for asked, answer in row.turns)


def quality_request(instructions: str, asked: str, answer: str) -> Request:
    """The question about one turn."""
    return question(instructions, {"question": asked, "answer": answer}, ASK, one_word())
