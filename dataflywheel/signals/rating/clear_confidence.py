"""CLEAR's confidence: whether a model, asked itself, agrees with a row's answer and believes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

COMPARE = (
    "The material is a question, a reference answer and {n} other answers to it, in order. For each of the others say "
    "whether it agrees with the reference in substance: yes, partly, or no where the two contradict each other."
)
AGREE = "Does each other answer agree with the reference? Give the list `agree` of {n} words, each yes, partly or no."
REFLECT = (
    (
        "The material is a question and a proposed answer. Is the proposed answer correct? In `analysis` say in one or "
        "two sentences what speaks for it and what against, and then in `verdict`: correct, incorrect or unsure.",
        "Is the proposed answer correct? Write `analysis`, and then `verdict`: correct, incorrect or unsure.",
    ),
    (
        "The material is a question and a proposed answer. Look for errors in the proposed answer: go through its "
        "claims and steps one by one and check each. In `analysis` say what you checked and every error that you "
        "found, or that you found none, and then in `verdict` whether you are confident that the answer is right.",
        "Which errors does the proposed answer have? Write `analysis`, and then `verdict`: correct, incorrect or "
        "unsure.",
    ),
)
"""Instructions and request of each question."""
AGREEMENT = {"yes": 1.0, "partly": 0.5, "no": 0.0}
VERDICT = {"correct": 1.0, "unsure": 0.5, "incorrect": 0.0}


Word = Literal["yes", "partly", "no"]


class Agreement(Form):
    limit: ClassVar[int] = 160

    agree: list[Word]


@lru_cache
def agreement(answers: int) -> type[Agreement]:
    """The form of so many answers compared: where a server obeys it, no word is too many and none is missing."""

    class OfAll(Agreement):
        agree: list[Literal["yes", "partly", "no"]] = Field(
            json_schema_extra={"minItems": answers, "maxItems": answers}
        )

    return OfAll


class Reflection(Form):
    """What was found on a second look, written before the verdict, so that the verdict can rest on it."""

    analysis: str = words(1200)
    verdict: Literal["correct", "incorrect", "unsure"]


class ClearConfidence(Instructed, Rating):
    """Column `confidence`: beta * `self_consistency` + (1 - beta) * `self_reflection`, from 0 to 1.

    Consistency is how far the model's own answers to the prompt, drawn at temperature 1, agree with the row's answer
    (yes 1, partly 0.5, no 0), by the model's own comparison; `answers` counts them. Reflection is the mean of two
    questions whether the row's answer is right (correct 1, unsure 0.5, incorrect 0), each after an analysis in words.
    CLEAR drops the rows below the median, trains on the others, and lets the trained model mend answers: that is the
    method `clear_correction` behind a step `train`.
    """

    card: ClassVar[Card] = Card(
        title="Automated Data Curation for Robust Language Model Fine-Tuning",
        authors="Chen and Mueller",
        year=2024,
        paper="2403.12776",
        category="signals",
        subcategory="rating",
        summary="Confidence that an answer is right: the model's own answers agree with it, and it believes it.",
        needs=("endpoint",),
        cost="$$",
        checked="planted wrong answers against a model that is right with a known probability",
        pays="Labels or answers of which a good part is wrong, where no model better than the one at hand exists.",
        fails="A model that is sure of its mistakes agrees with wrong answers, and a row costs eight calls: where "
        "results are known, compare with those.",
        evidence="The paper: the surer half of noisy data beats all of it; here (`benchmarks/real_model.md`): a model "
        "of 135 M parameters kept the form in 0 of 4 rows.",
    )
    answered_in: ClassVar[type[Form] | None] = Agreement
    columns: ClassVar[dict[str, pa.DataType]] = {
        "confidence": pa.float32(),
        "self_consistency": pa.float32(),
        "self_reflection": pa.float32(),
        "answers": pa.int32(),
        **COST_COLUMNS,
    }
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "samples")
    answer_tokens: ClassVar[int] = 200
    version: ClassVar[int] = 3

    beta: float = Field(default=0.7, ge=0, le=1)
    """Weight of consistency."""
    draws: int = Field(default=5, ge=1, le=20)
    """Answers that the model gives itself."""
    max_tokens: int = Field(default=512, ge=1)
    """Of each of these answers."""
    instructions: Instructions = COMPARE
    """What the model is told to do with the row's answer and its own, `{n}` of them."""
    reflections: tuple[Instructions, Instructions] = (REFLECT[0][0], REFLECT[1][0])
    """What it is told to do with the row's answer alone, in two questions."""

    def calls_a_row(self) -> int:
        return self.draws + 1 + len(REFLECT)

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        drawn = self._answers(client, rows)
        compared = self._compared(client, rows, drawn)
        kinds = [(text, ask) for text, (_, ask) in zip(self.reflections, REFLECT, strict=True)]
        asked = [question(text, {"question": r.prompt, "answer": r.answer}, ask) for r in rows for text, ask in kinds]
        reflected = ask_for(client, asked, Reflection)
        width = len(REFLECT)
        return [self._rated(drawn[i], compared[i], reflected[width * i :][:width]) for i in range(len(rows))]

    def _answers(self, client: Asks, rows: Sequence[Asked]) -> list[list[Reply]]:
        sampling = Sampling(temperature=1.0, max_tokens=self.max_tokens)
        replies = client.ask([Request.chat(r.prompt, "", sampling, i) for r in rows for i in range(self.draws)])
        return [replies[i : i + self.draws] for i in range(0, len(replies), self.draws)]

    def _compared(
        self, client: Asks, rows: Sequence[Asked], drawn: Sequence[Sequence[Reply]]
    ) -> list[Answer[Agreement] | None]:
        """The comparison of each row that got an answer at all."""
        own = [[reply.text for reply in replies if reply.answered and reply.text.strip()] for replies in drawn]
        found: list[Answer[Agreement] | None] = [None] * len(rows)
        for n in sorted({len(texts) for texts in own if texts}):
            having = [i for i, texts in enumerate(own) if len(texts) == n]
            asked = [_comparison(self.instructions, rows[i], own[i]) for i in having]
            check = partial(_of_all, n)
            for i, answer in zip(having, ask_for(client, asked, agreement(n), check), strict=True):
                found[i] = answer
        return found

    def _rated(
        self, drawn: Sequence[Reply], compared: Answer[Agreement] | None, reflected: Sequence[Answer[Reflection]]
    ) -> Rated:
        bought = (*drawn, *(compared.replies if compared else ()), *(r for one in reflected for r in one.replies))
        if compared is None:
            return Rated(None, f"{failure(drawn[0])} (no answer of the model's own)", bought)
        verdicts = [one.value for one in reflected if one.value is not None]
        if compared.value is None:
            return Rated(None, failure(compared), bought)
        if len(verdicts) < len(reflected):
            return Rated(None, failure(next(one for one in reflected if one.value is None)), bought)
        consistency = float(np.mean([AGREEMENT[word] for word in compared.value.agree]))
        reflection = float(np.mean([VERDICT[one.verdict] for one in verdicts]))
        values = {
            "confidence": self.beta * consistency + (1 - self.beta) * reflection,
            "self_consistency": consistency,
            "self_reflection": reflection,
            "answers": len(compared.value.agree),
        }
        return Rated(values, "", bought)


def _of_all(answers: int, _: int, value: Agreement) -> str:
    return "" if len(value.agree) == answers else "not one word for each answer"


def _comparison(instructions: str, row: Asked, own: Sequence[str]) -> Request:
    others = {f"other {i}": text for i, text in enumerate(own, 1)}
    shown = {"question": row.prompt, "reference": row.answer, **others}
    return question(filled(instructions, n=len(own)), shown, AGREE.format(n=len(own)))
