"""Relevancy: a model says whether an answer answers its question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.structured import Form
from dataflywheel.proposing.gates.in_words import InWords, lab_card

INSTRUCTIONS = (
    "The material is a question and an answer. Judge whether the answer answers this question; whether it is true "
    "is not asked. Say in `reason` what the question asks for and what the answer gives of that. Then give the "
    "verdict: `answers` where it gives all that is asked for, `partly` where something asked for is left open or "
    "much is added that nobody asked for, `elsewhere` where it answers another question or none."
)
Word = Literal["answers", "partly", "elsewhere"]


class Answers(Form):
    """The verdict behind its reason."""

    limit: ClassVar[int] = 256

    reason: str = words(500)
    verdict: Word


class Relevant(InWords):
    """Passes answers to what was asked, as a model judges that sees no document.

    Of the three judges of InstructLab's pipeline for documents, the second; the words in place of marks are ours.
    """

    card: ClassVar[Card] = lab_card(
        summary="A model says whether an answer answers what its question asks, with the reason first.",
        checked="a scripted judge of known error on planted answers to other questions",
        pays="Written pairs whose answers drift from their question.",
        fails="Says nothing of whether the answer is right: a wrong answer to the point passes.",
    )
    answered_in: ClassVar[type[Form] | None] = Answers
    ask: ClassVar[str] = "Give the `reason`, and then the `verdict`."
    shows: ClassVar[tuple[str, ...]] = (
        "question",
        "answer",
    )
    scale: ClassVar[tuple[str, ...]] = ("answers", "partly", "elsewhere")
    why: ClassVar[Mapping[str, str]] = {
        "partly": "the answer leaves a part of the question open",
        "elsewhere": "the answer answers another question",
    }

    least: Word = "answers"
    """The worst verdict that passes."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
