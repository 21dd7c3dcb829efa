"""What whoever compares two answers is told to do, where nothing else is said, and how the verdict is given."""

from __future__ import annotations

from typing import ClassVar, Literal

from dataflywheel.models.endpoint.form import Form, words

TASK = (
    "You compare two answers to one prompt, answer_1 and answer_2. Decide which one serves the person who wrote the "
    "prompt better: it does what was asked, is correct, and is no longer or fancier than it needs to be. The order in "
    "which the answers stand, their length and their style are no merits in themselves."
)


class Choice(Form):
    """What is asked for."""

    limit: ClassVar[int] = 64

    better: Literal["1", "2", "tie"]


class ReasonedChoice(Form):
    """The same with the evidence, written before what rests on it."""

    analysis: str = words(1500)
    better: Literal["1", "2", "tie"]


def pair_form(evidence: bool) -> type[Choice | ReasonedChoice]:
    """What is asked for, with the evidence before the verdict or without."""
    return ReasonedChoice if evidence else Choice
