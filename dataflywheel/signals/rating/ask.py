"""A question of one's own about each row, with an answer of one's own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import field_validator

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Asks, ask_for
from dataflywheel.signals.rating.answer_fields import (
    VALUE,
    Type,
    columns_of,
    fields_of,
    form_of,
    values_of,
)
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = "The material is a row of training data for an assistant. Answer a question about it."
USUAL = {VALUE: pa.float64()}


class _OwnColumns:
    """Columns of a question: by its answer; of the class, those of a number."""

    def __get__(self, one: Ask | None, kind: type[Ask]) -> dict[str, pa.DataType]:
        return {**(USUAL if one is None else columns_of(fields_of(one.answer))), **COST_COLUMNS}


class Ask(Instructed, Rating):
    """Column `value`, or a column for each field of the answer: what the model says of the row to your question.

    `answer` is `number`, `integer`, `yes_no` (1 and 0), `text`, a list of choices, a number with bounds (`{type:
    integer, minimum: 1, maximum: 5}`), or several fields by name, each one of these. The row is shown as material
    between marks, as `prompt` and `answer`. It stands in a recipe as often as there are questions: `signals: {useful:
    {ask: {question: "Is the answer useful?", answer: yes_no}}}` gives `useful.value`.
    """

    card: ClassVar[Card] = Card(
        title="A question of one's own",
        year=2026,
        category="signals",
        subcategory="rating",
        summary="Your own question about each row, answered by a number, a choice, a text or several fields.",
        needs=("endpoint",),
        cost="$",
        checked="planted answers of each form; texts of rows that try to give the answer themselves",
        pays="What matters to your use and no signal measures, as one narrow question whose answers you have checked "
        "on some dozen rows.",
        fails="A vague question gets the same answer for every row: ask one fact, by yes or no, and compare with your "
        "own labels.",
        evidence="Here (`benchmarks/real_model.md`): a model of 135 M parameters kept the form in 4 of 4 rows; so "
        "small a one says the same of everything.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = _OwnColumns()  # type: ignore[assignment]

    question: Instructions
    """What is asked, as the last thing that the model reads."""
    answer: Type
    """What an answer must be."""
    part: Literal["prompt", "answer", "all"] = "all"
    """What of a row is shown: all before the final answer, that answer, or both."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @field_validator("answer", mode="before")
    @classmethod
    def _words(cls, answer: object) -> object:
        """Choices that YAML took for something else."""
        if isinstance(answer, list) and any(isinstance(word, bool) for word in answer):
            raise ValueError("YAML reads yes, no, on and off as true and false; write `yes_no`, or words in quotes")
        return answer

    @field_validator("answer")
    @classmethod
    def _known(cls, answer: Type) -> Type:
        fields_of(answer)
        return answer

    @classmethod
    def columns_by(cls, given: Mapping[str, Any]) -> dict[str, pa.DataType]:
        return {**columns_of(fields_of(given.get("answer", "number"))), **COST_COLUMNS}

    def answer_form(self) -> type[Form]:
        return form_of(fields_of(self.answer))

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        fields = fields_of(self.answer)
        form = form_of(fields)
        answers = ask_for(client, [self._request(row) for row in rows], form, alone=list(fields) == [VALUE])
        return [
            Rated(None, failure(one), one.replies)
            if one.value is None
            else Rated(values_of(fields, one.value), "", one.replies)
            for one in answers
        ]

    def _request(self, row: Asked) -> Request:
        names = ", ".join(f"`{name}`" for name in fields_of(self.answer))
        return question(self.instructions, self._parts(row), f"{' '.join(self.question.split())} Answer in {names}.")

    def _parts(self, row: Asked) -> dict[str, str]:
        shown = {"prompt": row.prompt, "answer": row.answer}
        return shown if self.part == "all" else {self.part: shown[self.part]}

    def can_ask(self, row: Asked) -> bool:
        return all(text.strip() for text in self._parts(row).values())
