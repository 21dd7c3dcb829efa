"""AlpaGasus: a grade from 0 to 5 for each answer, given by a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

import pyarrow as pa

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.probe import closed
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.endpoint.tried import Asking
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "You grade training data for a language model. The material is an instruction and the answer that was written to "
    "it. Grade the {dimension} of the answer from 0 (worst) to 5 (best); half points such as 3.5 are allowed."
)
ASK = (
    "Grade the {dimension} of the answer from 0 to 5. First line: the number alone. Second line: why, in one sentence."
)
FORM = "on the first line a grade from 0 to 5 in half points and nothing else"
GRADE_TOKENS = 256
"""With the reason, and with thoughts where a model has them."""
CLOSED_TOKENS = 96
_LINE = re.compile(
    r"(?:q[0-9a-f]{8}\s*:\s*)?(?:(?:grade|score)\s*:?\s*)?([0-4](?:\.[05])?|5(?:\.0)?)(?:\s*/\s*5)?\.?", re.IGNORECASE
)


class AlpaGasus(Instructed, Rating):
    """Column `score`: the grade, in half points from 0 to 5. The paper keeps the rows from 4.5 on."""

    name: ClassVar[str] = "alpagasus"
    version: ClassVar[int] = 3
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
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{dimension}` is what is graded."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        thinks = bool(client.model.capabilities.thinks)
        requests = [closed(self._request(row), CLOSED_TOKENS, thinks) for row in rows]
        replies = ask_read(client, requests, Asking(self.name, FORM), lambda i, reply: _rated(reply).error)
        return [_rated(reply) for reply in replies]

    def _request(self, row: Asked) -> Request:
        instructions, ask = (filled(text, dimension=self.dimension) for text in (self.instructions, ASK))
        parts = {"instruction": row.prompt, "answer": row.answer}
        return question(instructions, parts, ask, Sampling(max_tokens=GRADE_TOKENS))


def _rated(reply: Reply) -> Rated:
    """A reply whose reason was cut has its grade all the same: the whole first line is there."""
    whole = reply.answered or (reply.outcome is Outcome.TRUNCATED and "\n" in reply.text.strip())
    score = parse_grade(reply.text) if whole else None
    error = failure(reply) if not reply.answered else "malformed: no grade on the first line"
    return Rated({"score": score}, "", (reply,)) if score is not None else Rated(None, error, (reply,))


def parse_grade(text: str) -> float | None:
    """The grade on the first line that is not blank, or None where that line is anything but one grade, or a further
    line is another one.

    Markup around it and "/5" behind it are passed over, and so is an id before it, which models wrote that were asked
    for one.

    >>> parse_grade("**4.5/5**\\nCorrect."), parse_grade("Grade: 3\\nClumsy."), parse_grade("q12ab34cd: 4")
    (4.5, 3.0, 4.0)
    >>> parse_grade("45"), parse_grade("3 reasons speak for it"), parse_grade("2\\nRight.\\n5")
    (None, None, None)
    """
    first, *rest = [line for line in text.splitlines() if line.strip(" \t*_`#>")] or [""]
    grade = _grade(first)
    return grade if all(_grade(line) in (None, grade) for line in rest) else None


def _grade(line: str) -> float | None:
    match = _LINE.fullmatch(re.sub(r"[*_`#>]", "", line).strip())
    return float(match[1]) if match else None
