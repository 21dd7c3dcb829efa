"""AlpaGasus: a grade from 0 to 5 for each answer, given by a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import Field, JsonValue

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "You grade training data for a language model. The material is an instruction and the answer that was written to "
    "it. Grade the {dimension} of the answer from 0 (worst) to 5 (best); half points such as 3.5 are allowed."
)
ASK = "Grade the {dimension} of the answer from 0 to 5. Give the grade in `score`."
GRADES: list[JsonValue] = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]


class Grade(Form):
    """What is asked for: the published prompt has the grade first as well, and nobody reads the reason behind it."""

    limit: ClassVar[int] = 48

    score: float = Field(ge=0, le=5, json_schema_extra={"enum": GRADES})


class AlpaGasus(Instructed, Rating):
    """Column `score`: the grade, in half points from 0 to 5. The paper keeps the rows from 4.5 on."""

    name: ClassVar[str] = "alpagasus"
    version: ClassVar[int] = 4
    card: ClassVar[Card] = Card(
        title="AlpaGasus: Training A Better Alpaca with Fewer Data",
        authors="Chen et al.",
        year=2023,
        paper="2307.08701",
        category="signals",
        subcategory="rating",
        summary="One grade from 0 to 5 for the accuracy or helpfulness of each answer.",
        needs=("endpoint",),
        cost="$",
        checked="a rater with planted grades through a server that misbehaves; random replies",
        pays="Answers of a weak writer to be graded by a clearly better model, at one short call a row.",
        fails="Grades pile up at 4 and 5, follow length, and a small model gives all rows the same: take `ask_llm` for "
        "a ranking, or `ds2`.",
        evidence="The paper: 9k of 52k rows from 4.5 on beat all of Alpaca by GPT-4's verdicts; here "
        "(`benchmarks/real_model.md`): a model of 135 M parameters kept the form in 4 of 4 rows.",
    )
    answered_in: ClassVar[type[Form] | None] = Grade
    columns: ClassVar[dict[str, pa.DataType]] = {"score": pa.float32(), **COST_COLUMNS}

    dimension: Literal["accuracy", "helpfulness"] = "accuracy"
    """What is graded."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{dimension}` is what is graded."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        instructions, ask = (filled(text, dimension=self.dimension) for text in (self.instructions, ASK))
        asked = [question(instructions, {"instruction": row.prompt, "answer": row.answer}, ask) for row in rows]
        return [
            Rated(answer.value.model_dump(), "", answer.replies)
            if answer.value is not None
            else Rated(None, failure(answer), answer.replies)
            for answer in ask_for(client, asked, Grade, _between, alone=True)
        ]


def _between(number: int, grade: Grade) -> str:
    return "" if grade.score in GRADES else f"{grade.score:g} is no half point"
