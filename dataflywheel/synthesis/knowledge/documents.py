"""What is written from documents has in common: their text, its parts, and instructions that stand by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataflywheel.proposing.kinds import Demand
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said
from dataflywheel.synthesis.knowledge.chunks import chunks
from dataflywheel.synthesis.knowledge.sections import Span, stripped

LEANS = "the question speaks of a text that is not there"
_TEXT = "text|passage|document|article|excerpt|paragraph|extract|material|snippet|fragment"
_LEANS = re.compile(
    rf"\b(?:the|this|that|above|below|given|provided|following|attached)\s+(?:{_TEXT})s?\b"
    rf"|\baccording to (?:it|the author)\b|\b(?:described|mentioned|listed|given|shown|stated) (?:above|below)\b",
    re.IGNORECASE,
)


def text_of_document(seed: Row) -> tuple[str, str]:
    """The text of a document, without thoughts before it, and why nothing can be written from it, or ""."""
    text = answer_said(seed["messages"])
    if seed["media"]:
        return "", "not written from, the writer cannot see its images or sounds"
    if seed["messages"] and seed["messages"][-1]["tool_calls"]:
        return "", "not written from, the text calls tools"
    return (text, "") if text.strip() else ("", "empty document")


def parts_of_text(text: str, longest: int) -> list[Span]:
    """Places that a question can show, in order: the whole text where it is short enough, else its sections, joined as
    far as they fit."""
    whole = stripped(text, 0, len(text))
    return [whole] if whole[1] - whole[0] <= longest else chunks(text, longest, longest) or [whole]


@dataclass(frozen=True)
class Visit:
    """One look at a part of a document."""

    seed: Row
    text: str
    place: Span
    """Where the part stands in the text."""
    cycle: int
    """How often the whole document was gone through before."""

    @property
    def passage(self) -> str:
        """The part itself."""
        return self.text[slice(*self.place)]


def visits(demand: Demand, longest: int) -> list[Visit | str]:
    """For each seed of a demand the part that its visit is about, in turn, or why nothing can be written from it."""
    found: list[Visit | str] = []
    for seed, turn in zip(demand.seeds, demand.turns, strict=True):
        text, why = text_of_document(seed)
        parts = [] if why else parts_of_text(text, longest)
        found.append(why or Visit(seed, text, parts[turn % len(parts)], turn // len(parts)))
    return found


def leans(instruction: str, text: str) -> str:
    """What an instruction says of a text that its reader does not have, or ""; words that the text has itself are its
    subject.

    >>> leans("What does the passage say of tea?", "Tea is a drink."), leans("What is tea?", "Tea is a drink.")
    ('the passage', '')
    """
    known = " ".join(text.casefold().split())
    for found in _LEANS.finditer(instruction):
        said = " ".join(found[0].split())
        if said.casefold() not in known:
            return said
    return ""
