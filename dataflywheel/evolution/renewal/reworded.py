"""Benchmark Self-Evolving, paraphrase: the same question in other words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dataflywheel.contracts import Card
from dataflywheel.evolution.renewal.variant import Variant, Written
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.rewritten import exchange_of
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material is a question, maybe with the turns before it. Write the question anew: other words and another "
    "order of sentences, in the same language, with the same meaning. Every number, unit, name, condition, option "
    "with its letter, formula and piece of code stays as it is, and so does the form that the answer must have. "
    "Do not answer it, add nothing and leave nothing out."
)
ASK = "Write the question in other words, as `text`."


class Rewording(Form):
    """The question in other words."""

    text: str


class Reworded(Instructed, Variant):
    """Evaluation rows whose question is put in other words by a model, each verified before it is used."""

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Benchmark Self-Evolving: A Multi-Agent Framework for Dynamic LLM Evaluation",
        authors="Wang et al.",
        year=2024,
        paper="2402.11443",
        category="evolution",
        subcategory="renewal",
        summary="Puts evaluation questions in other words, and uses those alone whose answer is found to be the same.",
        needs=("endpoint", "target"),
        cost="$$",
        checked="a scripted writer that changes numbers with a known probability: no such variant is used",
        pays="Public evaluation sets that a pool or teacher may hold, with a strong model as verifier: learned "
        "wording helps no more.",
        fails="Questions that the verifier cannot answer have no variant, so that the renewed set is easier: compare "
        "both sets on the same rows, and name a stronger `verifier`.",
        evidence="benchmarks/real_model.md: a 135M model gave none of 4 variants that could be used.",
    )
    answered_in: ClassVar[type[Form] | None] = Rewording

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def calls_a_seed(self) -> float:
        return 2.0

    def varied(self, writer: Asks, rows: Sequence[Row], turns: Sequence[int]) -> list[Written]:
        sampling = Sampling(max_tokens=self.max_tokens)
        asked = [
            question(self.instructions, _shown(row), ASK, sampling, turn) for row, turn in zip(rows, turns, strict=True)
        ]
        answers = ask_for(writer, asked, Rewording)
        found = []
        for row, answer in zip(rows, answers, strict=True):
            text = answer.value.text.strip() if answer.value is not None else ""
            why = failure(answer) if answer.value is None else "" if text else "malformed: an empty question"
            same = " ".join(text.split()) == " ".join(exchange_of(row).instruction.split())
            found.append(Written(text, why or ("the same words" if same else ""), answer.replies))
        return found


def _shown(row: Row) -> dict[str, str]:
    parts = exchange_of(row)
    return {**({"earlier turns": parts.context} if parts.context else {}), "question": parts.instruction}
