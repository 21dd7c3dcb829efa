"""A user's turn that a model wrote, brought into shape; and by what, so that the repaired share is known."""

from __future__ import annotations

import re
from enum import StrEnum

_PREFIX = re.compile(
    r"\A(?:#{1,4}\s*)?(?:(?:\*\*)?(?:task|question|problem|instruction|prompt|query|user)(?:\s*\d+)?(?:\*\*)?\s*[:.]"
    r"(?:\*\*)?)\s*",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"^\s*(?:#{1,4}\s*)?(?:\*\*)?(?:answer|solution|response|explanation|output|assistant|step\s*1|hint)s?(?:\*\*)?\s*"
    r"(?:[:.]|\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,6}\s+\S.*$", re.MULTILINE)
_QUESTION = re.compile(r"\?(?:[\"')\]]*)(?=\s)")
_MOSTLY_ANSWER = 3
"""Sentences after the first question mark from which on a turn is taken for a question with its answer."""


class Repair(StrEnum):
    """What was done to a turn: a closed list."""

    NONE = "none"
    PREFIX = "label at its head taken off"
    MARKER = "cut before an answer's label"
    HEADING = "cut before a heading"
    FIRST_QUESTION = "cut after its first question"
    NOTHING_LEFT = "nothing left"


def sanitise(turn: str) -> tuple[str, Repair]:
    """The turn without a label at its head and without an answer of its own, and the last repair that it needed.

    >>> sanitise("Task: Name three birds.\\nAnswer: Robin")
    ('Name three birds.', <Repair.MARKER: "cut before an answer's label">)
    >>> sanitise("  Name three birds. ")
    ('Name three birds.', <Repair.NONE: 'none'>)
    """
    text, done = turn.strip(), Repair.NONE
    bare = _PREFIX.sub("", text, count=1)
    if bare != text:
        text, done = bare, Repair.PREFIX
    for pattern, repair in ((_MARKER, Repair.MARKER), (_HEADING, Repair.HEADING)):
        found = pattern.search(text)
        if found is not None:
            text, done = text[: found.start()].rstrip(), repair
    asked = _QUESTION.search(text)
    if asked is not None and len(re.findall(r"[.!](?=\s|\Z)", text[asked.end() :])) >= _MOSTLY_ANSWER:
        text, done = text[: asked.end()], Repair.FIRST_QUESTION
    return (text, done) if any(c.isalnum() for c in text) else ("", Repair.NOTHING_LEFT)
