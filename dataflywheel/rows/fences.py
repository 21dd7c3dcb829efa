"""Fenced blocks of code in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"(?m)^[ \t]{0,12}(?P<mark>`{3,}|~{3,})(?P<info>[^`\n]*)$")


@dataclass(frozen=True, slots=True)
class Fenced:
    """Places of one block: all of it from `start` to `end`, the code within from `code` to `closing`."""

    start: int
    code: int
    closing: int
    end: int
    language: str
    """The first word behind the opening fence, in lower case."""


def fenced(text: str) -> Iterator[Fenced]:
    """Blocks that are closed, as CommonMark closes them: by as many of the same marks, with nothing behind."""
    if "```" not in text and "~~~" not in text:
        return
    opened: re.Match[str] | None = None
    for found in _FENCE.finditer(text):
        if opened is None:
            opened = found
        elif found["mark"].startswith(opened["mark"]) and not found["info"].strip():
            language = opened["info"].strip().lower().partition(" ")[0]
            yield Fenced(opened.start(), min(opened.end() + 1, found.start()), found.start(), found.end(), language)
            opened = None
