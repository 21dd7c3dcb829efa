"""The forms in which a document is told anew: what is asked for each, and what is wrong with an answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dataflywheel.models.endpoint.structured import Form
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.signals.words.bleu import bleu
from dataflywheel.synthesis.knowledge.documents import leans

Telling = Literal["encyclopaedic", "questions", "distilled", "knowledge", "list"]
FORMS: tuple[Telling, ...] = ("encyclopaedic", "questions", "distilled", "knowledge", "list")
HOW: dict[Telling, str] = {
    "encyclopaedic": "Write it anew as an article of an encyclopaedia: plain, well ordered prose of high quality. "
    "Leave nothing out that is said, and take no sentence over as it stands",
    "distilled": "Write it anew as short as it can be: every fact, number, name and condition that matters stays, and "
    "all filling, repetition and advertising goes",
    "knowledge": "Write down what one learns from it: the facts, relations and reasons, in whole sentences of running "
    "prose that can be understood without the part",
    "list": "List what it says, each item one fact in a whole sentence that can be understood by itself; no item twice",
}
"""What is told for each form that is a text."""
COPY = 0.9
"""BLEU with its part from which a text is a copy."""
LEANS = "it speaks of a text that is not there"
_SAME = Meaning(part="answer", least=None, most=None)
COPIED = "a copy of the part"
LONGER = "not shorter than the part"
ALIEN = "the question names what the part does not hold"


class Retold(Form):
    """A part of a document as a text in another form."""

    text: str = Field(min_length=1)


class Items(Form):
    """A part of a document as a list of facts."""

    items: list[str] = Field(min_length=1)


class Asked(Form):
    """A question and its answer; an empty one is told apart from an answer that cannot be read."""

    question: str
    answer: str


class AskedPairs(Form):
    """What one reply holds."""

    pairs: list[Asked] = Field(min_length=1)


def fault_of_text(form: Telling, text: str, part: str, whole: bool) -> str:
    """Why a text is no telling of the part in this form, or "". `whole`: nothing that the part says may be lost in
    `encyclopaedic`."""
    if not text.strip():
        return "malformed: an empty text"
    leaning = leans(text, part)
    if leaning:
        return f"{LEANS}: {leaning!r}"
    if form == "distilled" and len(text) >= len(part):
        return f"{LONGER}: {len(text)} characters of {len(part)}"
    alike = bleu(text, part)
    if form != "list" and alike >= COPY:
        return f"{COPIED}: BLEU {alike:.2f}"
    if form == "encyclopaedic" and whole:
        check = _SAME.invariants(part, text)
        return "" if check.passed else f"{check.reason}: {check.detail}"
    return ""


def list_of(items: list[str]) -> str:
    """The facts as lines, equal ones once."""
    once: dict[str, str] = {}
    for item in items:
        fact = " ".join(item.split()).removeprefix("- ")
        once.setdefault(fact.casefold(), fact)
    return "\n".join(f"- {fact}" for fact in once.values() if fact)


def fault_of_pair(asked: str, said: str, part: str, before: set[str]) -> str:
    """Why a question and its answer are no pair about the part, or ""; `before`: questions that were asked, folded."""
    if not asked or not said:
        return f"malformed pair: an empty {'answer' if asked else 'question'}"
    folded = " ".join(forms(asked))
    if not folded or folded == " ".join(forms(said)):
        return "malformed pair: the answer repeats the question" if folded else "malformed pair: no words"
    if folded in before:
        return "malformed pair: asked twice"
    leaning = leans(f"{asked}\n{said}", part)
    if leaning:
        return f"{LEANS}: {leaning!r}"
    values = {number.value for number in numbers(part)}
    alien = [str(number.value) for number in numbers(asked) if number.sure and number.value not in values]
    alien += missing(names(asked), part)
    return f"{ALIEN}: {alien[0]!r}" if alien else ""
