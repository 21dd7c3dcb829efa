"""AlpaGasus: a grade from 0 to 5 for each answer, given by a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

import pyarrow as pa

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.quoting import Question, question
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.endpoint.tried import Asking
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "You grade training data for a language model. The material is an instruction and the answer that was written to "
    "it. Grade the {dimension} of the answer from 0 (worst) to 5 (best); half points such as 3.5 are allowed. On the "
    "first line of your reply write the question's id, a colon and the grade as a number, and nothing else. On the "
    "second line give the reason in one sentence."
)
FORM = "on the first line the question's id, a colon and a grade from 0 to 5 in half points, or the grade alone"
_GRADE = r"([0-4](?:\.[05])?|5(?:\.0)?)"


class AlpaGasus(Rating):
    """Column `score`: the grade, in half points from 0 to 5. The paper keeps the rows from 4.5 on."""

    name: ClassVar[str] = "alpagasus"
    version: ClassVar[int] = 2
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
        checked="a rater with planted grades through a server that misbehaves; the parser on random replies",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"score": pa.float32(), **COST_COLUMNS}

    dimension: Literal["accuracy", "helpfulness"] = "accuracy"
    """What is graded."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        instructions = INSTRUCTIONS.format(dimension=self.dimension)
        sampling = Sampling(max_tokens=256)
        questions = [question(instructions, {"instruction": r.prompt, "answer": r.answer}, sampling) for r in rows]
        rated = [_rated(reply, one.id) for one, reply in zip(questions, self._replies(client, questions), strict=True)]
        return rated

    def _replies(self, client: Asks, questions: Sequence[Question]) -> list[Reply]:
        requests = [one.request for one in questions]
        return ask_read(
            client, requests, Asking(self.name, FORM), lambda i, reply: _rated(reply, questions[i].id).error
        )


def _rated(reply: Reply, id: str) -> Rated:
    score = parse_grade(reply.text, id) if reply.answered else None
    error = failure(reply) if not reply.answered else f"malformed: no grade of {id} on the first line"
    return Rated({"score": score}, "", (reply,)) if score is not None else Rated(None, error, (reply,))


def parse_grade(text: str, id: str) -> float | None:
    """The grade on the first line that is not blank, or None where that line is anything but one grade, with the
    id before it or nothing.

    Markup around it and "/5" behind it are passed over.

    >>> parse_grade("**q1: 4.5/5**\\nCorrect.", "q1"), parse_grade("3\\nClumsy.", "q1"), parse_grade("q1: 45", "q1")
    (4.5, 3.0, None)
    >>> parse_grade("q2: 4.5", "q1"), parse_grade("3 reasons speak for it", "q1")
    (None, None)
    """
    first = next((line for line in text.splitlines() if line.strip(" \t*_`#>")), "")
    pattern = rf"(?:{re.escape(id)}\s*:\s*)?(?:(?:grade|score)\s*:?\s*)?{_GRADE}(?:\s*/\s*5)?\.?"
    match = re.fullmatch(pattern, re.sub(r"[*_`#>]", "", first).strip(), re.IGNORECASE)
    return float(match[1]) if match else None
