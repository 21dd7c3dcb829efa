"""Self-distillation of data: the model that is to be tuned says each reference answer in its own words."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import ClassVar, Literal

from dataflywheel.contracts import Card
from dataflywheel.distillation.answered_anew import AnsweredAnew
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.proposing.answers.compare import number_of, same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.rewritten import exchange_of
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material is an instruction and a reference answer that is right. Answer the instruction in your own words, "
    "with the reference answer as your guide: everything that it says must stay true in yours, and a final result "
    "must stay the same, and so must the language. Do not mention the reference answer."
)
ASK = "Answer the instruction in your own words. Write only your answer."
LEAKS = re.compile(
    r"\b(?:reference answer|reference response|(?:provided|given) reference|your (?:own )?response|in my own words|"
    r"own words|question id)\b",
    re.IGNORECASE,
)
"""Words of a prompt that has leaked into an answer."""
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
KEPT, UNCHANGED, LEAKED = "", "unchanged", "a phrase of the prompt"
EMPTY, OTHER, CODE = "empty", "another final answer", "code is missing"


class SelfDistillation(Instructed, AnsweredAnew):
    """An answer in the words of `model`, which is to be tuned, changes it less when it is trained on. What cannot be
    trusted falls back to the reference: see `verify`.

    `model`, where none is named, is the recipe's student as it is before any training; the teacher is never asked."""

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Self-Distillation Bridges Distribution Gap in Language Model Fine-Tuning",
        authors="Yang et al.",
        year=2024,
        paper="2402.13669",
        category="distillation",
        subcategory="data",
        summary="The model to be tuned rewrites each reference answer; unverified rewrites fall back to it.",
        needs=("endpoint",),
        cost="$",
        checked="1,830 published pairs of reference and rewrite, planted leaks and changed results",
        pays="A capable model that must learn new rows and forget little, above all where final answers, code or "
        "numbers can be checked.",
        fails="A model too weak to rewrite falls back on most rows, and its own habits stay: then train on the "
        "references, or let `sequence_level` ask a teacher.",
        evidence="2410.09982, a pruned Llama-3.1-8B on rows in the unpruned model's words: 91.2 % of its quality kept, "
        "81.7 % by fine-tuning; not measured here.",
    )
    own_model: ClassVar[Literal["trained", "base"] | None] = "base"

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @property
    def shown(self) -> tuple[str, ...]:
        return (self.instructions,)

    def _question(self, row: Row, sampling: Sampling, turn: int) -> Request:
        return question(self.instructions, _parts(exchange_of(row).parts), ASK, sampling, turn)

    def _read(self, row: Row, reply: Reply) -> tuple[str, str]:
        answer = reply.text.strip()
        exchange = exchange_of(row)
        wrong = verify(exchange.instruction, exchange.answer, answer)
        return answer, wrong and f"fell back, {wrong}"


def _parts(parts: dict[str, str]) -> dict[str, str]:
    return {"reference answer" if name == "answer" else name: text for name, text in parts.items()}


def verify(instruction: str, reference: str, rewrite: str) -> str:
    """Why a rewrite falls back to its reference, or "" where it is kept.

    It falls back where it is empty or the reference itself; where words of the prompt leaked into it that neither
    instruction nor reference hold; where the reference has a final result (marked, or nothing but a number) and the
    rewrite has another or none; where the reference holds fenced code and the rewrite none.

    >>> verify("6 x 7?", "42", "Six times seven is 42."), verify("6 x 7?", "42", "Six times seven is 48.")
    ('', 'another final answer')
    """
    if not rewrite.strip():
        return EMPTY
    if rewrite.split() == reference.split():
        return UNCHANGED
    known = {match.lower() for match in LEAKS.findall(f"{instruction}\n{reference}")}
    if any(match.lower() not in known for match in LEAKS.findall(rewrite)):
        return LEAKED
    gold = _result(reference)
    if gold is not None and not _gives(rewrite, gold):
        return OTHER
    return CODE if "```" in reference and "```" not in rewrite else KEPT


def _result(text: str) -> str | None:
    """The final answer of a text that marks one or is a number; prose has none."""
    with suppress(NoAnswerError):
        return final_answer(text, unmarked=False)
    return text if "\n" not in text.strip() and number_of(text) is not None else None


def _gives(text: str, gold: str) -> bool:
    """Whether a text marks this result, or, where it marks none, its last number is it."""
    said = _result(text)
    if said is not None:
        return same_answer(said, gold)
    numbers = _NUMBER.findall(text)
    return bool(numbers) and same_answer(numbers[-1], gold)
