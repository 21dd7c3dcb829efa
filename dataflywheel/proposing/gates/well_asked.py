"""Question quality: a model says whether a question stands by itself and can be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.structured import Form
from dataflywheel.proposing.gates.in_words import InWords, lab_card

INSTRUCTIONS = (
    "The material is a question, as somebody will be asked it who has nothing but these words. Judge whether it is "
    "a good question: clear, complete, with one sense, about something worth knowing, and without leaning on a "
    "text, a picture or a talk that is not there. Say in `reason` what is meant and what is missing. Then give the "
    "verdict: `clear` where somebody who knows the subject would know what to answer, else `unclear`."
)
Word = Literal["clear", "unclear"]


class Clear(Form):
    """The verdict behind its reason."""

    limit: ClassVar[int] = 256

    reason: str = words(500)
    verdict: Word


class WellAsked(InWords):
    """Passes questions that stand by themselves, as a model judges that sees neither document nor answer.

    Of the three judges of InstructLab's pipeline for documents, the third; the words in place of marks are ours.
    """

    card: ClassVar[Card] = lab_card(
        summary="A model says whether a question is clear and complete without the document that it was made from.",
        checked="a scripted judge of known error on planted questions that speak of a text that is not there",
        pays="Questions written from documents, before they are shown to anybody who does not have these.",
        fails="A model that has read much takes an unclear question for one that it knows.",
    )
    answered_in: ClassVar[type[Form] | None] = Clear
    ask: ClassVar[str] = "Give the `reason`, and then the `verdict`."
    shows: ClassVar[tuple[str, ...]] = ("question",)
    scale: ClassVar[tuple[str, ...]] = ("clear", "unclear")
    why: ClassVar[Mapping[str, str]] = {
        "unclear": "the question cannot be understood by itself",
    }

    least: Word = "clear"
    """The worst verdict that passes."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
