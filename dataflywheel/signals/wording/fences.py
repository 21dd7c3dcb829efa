"""Fenced blocks of a text, found line by line as Markdown defines them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"([ \t]*)(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))")
_DEEPEST = 3
"""How much further to the right than its opening a fence may close its block; what stands deeper is the block's own."""


@dataclass(frozen=True)
class Block:
    """One fenced block: `info` is what stands behind its opening fence, `body` its lines without the fences' margin."""

    info: str
    body: str
    start: int
    """Where its opening fence begins in the text."""
    end: int
    """Behind its closing fence, or the end of the text."""

    @property
    def language(self) -> str:
        """The first word of the info in small letters, without the dress of `{.python}` or `python:main.py`; or ""."""
        word = re.match(r"[ \t{.]*([^\s{}:,=.]*)", self.info)
        return word[1].lower() if word else ""


def blocks(text: str) -> list[Block]:
    """All fenced blocks in order. A fence that is never closed reaches to the end of the text.

    >>> [(block.language, block.body) for block in blocks("Use\\n```py\\na = 1\\n```\\nand\\n~~~\\nb = 2")]
    [('py', 'a = 1'), ('', 'b = 2')]
    """
    found: list[Block] = []
    if "```" not in text and "~~~" not in text:
        return found
    inside: tuple[str, str, int, int] | None = None
    body: list[str] = []
    for start, end, line in _lines(text):
        fence = _FENCE.fullmatch(line)
        mark = (fence[2] or fence[4]) if fence else ""
        if inside is None:
            if fence is not None and mark:
                inside, body = (mark, (fence[3] or fence[5] or "").strip(), len(fence[1]), start), []
            continue
        opened, info, margin, began = inside
        closes = fence is not None and mark[0] == opened[0] and len(mark) >= len(opened)
        if (
            closes
            and fence is not None
            and not (fence[3] or fence[5] or "").strip()
            and len(fence[1]) <= margin + _DEEPEST
        ):
            found.append(Block(info, "\n".join(body), began, end))
            inside = None
        else:
            body.append(line[min(margin, len(line) - len(line.lstrip(" \t"))) :])
    if inside is not None:
        found.append(Block(inside[1], "\n".join(body), inside[3], len(text)))
    return found


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of every line, without its end."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end, text[start:end].rstrip("\r")
        start = end + 1


def without_blocks(text: str) -> str:
    """A text with a line's end in place of every fenced block."""
    parts, at = [], 0
    for block in blocks(text):
        parts += [text[at : block.start], "\n"]
        at = block.end
    return "".join([*parts, text[at:]])
