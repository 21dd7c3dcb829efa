"""DS2's ratings: rarity, complexity, informativeness and an overall score from 1 to 10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "The material is a training example for an assistant: an instruction and its answer. Score it from 1 (lowest) to "
    "10 (highest), in whole numbers: `rarity` (how unusual the example is), `complexity` (how much knowledge and "
    "reasoning it takes), `informativeness` (how much a model can learn from it) and `overall` (its worth as a whole)."
)
ASK = "Give the four whole numbers from 1 to 10: rarity, complexity, informativeness, overall."
Score = Annotated[int, Field(ge=1, le=10)]


class Scores(Form):
    limit: ClassVar[int] = 96

    rarity: Score
    complexity: Score
    informativeness: Score
    overall: Score


class DS2Rating(Instructed, Rating):
    """Columns `rarity`, `complexity`, `informativeness` and `overall`, whole numbers from 1 to 10, as the model gave
    them; the selector `ds2` estimates the model's error and corrects `overall`.
    """

    name: ClassVar[str] = "ds2_rating"
    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Improving Data Efficiency via Curating LLM-Driven Rating Systems",
        authors="Pang et al.",
        year=2024,
        paper="2410.10877",
        category="signals",
        subcategory="rating",
        summary="Four scores from 1 to 10: rarity, complexity, informativeness and overall.",
        needs=("endpoint",),
        cost="$",
        checked="planted scores through a rater that errs and a server that misbehaves",
        pays="Cheap raters of 7 to 8 B on pools of ten thousand rows or more, whose errors `ds2` then corrects.",
        fails="By themselves these grades gather at 7 to 9 and a rater cannot know what is rare in your pool: never "
        "rank by `overall` without `ds2`.",
        evidence="The paper, after correction: 10k of 300k rows (3.3 %) beat all; here (`benchmarks/real_model.md`): a "
        "model of 135 M parameters kept the form in 4 of 4 rows.",
    )
    answered_in: ClassVar[type[Form] | None] = Scores
    columns: ClassVar[dict[str, pa.DataType]] = {
        "rarity": pa.int32(),
        "complexity": pa.int32(),
        "informativeness": pa.int32(),
        "overall": pa.int32(),
        **COST_COLUMNS,
    }

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        asked = [question(self.instructions, {"instruction": row.prompt, "answer": row.answer}, ASK) for row in rows]
        return [
            Rated(answer.value.model_dump(), "", answer.replies)
            if answer.value is not None
            else Rated(None, failure(answer), answer.replies)
            for answer in ask_for(client, asked, Scores)
        ]
