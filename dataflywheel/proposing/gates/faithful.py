"""Faithfulness: a model says whether a document supports an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.structured import Form
from dataflywheel.proposing.gates.in_words import InWords, lab_card

INSTRUCTIONS = (
    "The material is a document, a question and an answer to it. Judge whether the document supports the answer. "
    "Take the statements of the answer one by one, and say in `reason` for each in a few words where the document "
    "says it or that it does not; what you know yourself counts for nothing. Then give the verdict: `supported` "
    "where the document says all of it, `partly` where some statement is not there, `unsupported` where what the "
    "question asks for is not there, or the document says otherwise."
)
Word = Literal["supported", "partly", "unsupported"]


class Supported(Form):
    """The verdict behind its reason."""

    limit: ClassVar[int] = 256

    reason: str = words(500)
    verdict: Word


class Faithful(InWords):
    """Passes answers whose every statement stands in the text that the row was made from, as a model judges.

    Of the three judges of InstructLab's pipeline for documents, the first; the words in place of marks, and that
    examples are asked about before the run, are ours.
    """

    card: ClassVar[Card] = lab_card(
        summary="A model says, reason first, whether the document that a row was made from supports its answer.",
        checked="a scripted judge of known error on planted answers; an example with the wrong verdict ends the run",
        pays="Answers in their own words, of which no comparison of words can say whether they rest on the document.",
        fails="A model may believe itself and not the document; where words can be compared, `grounded` is surer.",
    )
    answered_in: ClassVar[type[Form] | None] = Supported
    ask: ClassVar[str] = "Give the `reason` statement by statement, and then the `verdict`."
    shows: ClassVar[tuple[str, ...]] = (
        "document",
        "question",
        "answer",
    )
    scale: ClassVar[tuple[str, ...]] = ("supported", "partly", "unsupported")
    why: ClassVar[Mapping[str, str]] = {
        "partly": "a part of the answer is not in the document",
        "unsupported": "the document does not support the answer",
    }

    least: Word = "supported"
    """The worst verdict that passes."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
