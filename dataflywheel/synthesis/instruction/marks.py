"""Marks that models put before what they were asked to write, and that must not reach a row."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MARK = r"^[\s#>*_]{{0,12}}(?:{words})(?:\s\d{{1,3}})?\s?[*_]{{0,3}}\s?[:\uff1a][*_]{{0,3}}\s*"
_PROMPT = re.compile(
    _MARK.format(
        words=r"(?:(?:the|new|user|math|synthetic|generated|writing)(?:'s)?\s)?"
        r"(?:prompt|question|instruction|task|problem|request|exercise|query)|user"
    ),
    re.IGNORECASE,
)
_ANSWER = re.compile(
    _MARK.format(words=r"(?:(?:the|a|model|whole|right)\s)?(?:answer|response|reply|solution)|assistant|ai"),
    re.IGNORECASE,
)
NAMED = "the attributes stand in the text"


def without_mark(text: str, answer: bool = False) -> str:
    """A prompt, or an answer, without the word that says what it is; a text that is nothing else stays.

    >>> without_mark("**User prompt:** Name a bird."), without_mark("Solution:\\nTwo.", answer=True)
    ('Name a bird.', 'Two.')
    >>> without_mark("Question everything: why?")
    'Question everything: why?'
    """
    rest = (_ANSWER if answer else _PROMPT).sub("", text, count=1).strip()
    return rest or text.strip()


def names_attributes(text: str, cell: Mapping[str, str]) -> str:
    """The line of a text that says an attribute as it was given, `Difficulty: easy`; "" where none does."""
    lines = [line for line in text.split("\n") if line.strip()]
    for name, value in cell.items():
        said = re.compile(rf"[\W_]*{re.escape(name)}[\W_]{{1,8}}{re.escape(value)}(?!\w)", re.IGNORECASE)
        for line in lines:
            if said.match(line):
                return line.strip()[:80]
    return ""
