"""Fenced blocks of a text, found line by line as Markdown defines them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_FENCE = re.compile(r"([ \t]*)(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))")
_QUOTED = re.compile(r"(?:[ \t]{0,3}>[ \t]?){1,5}(?=[ \t]*(?:```|~~~))")
_QUOTE = re.compile(r"[ \t]{0,3}>[ \t]?")
_UNSEEN = frozenset("\ufeff\u200b")
"""Signs of no width that an editor leaves before a line."""
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
        """The first word of the info in small letters, without the dress of `{.python}` or `python:main.py`, of the
        name of a file its ending; or ""."""
        word = re.match(r"[ \t{.]*([^\s{}:,=.]*)(?:\.([a-z]{1,4})(?!\S))?", self.info)
        return (word[2] or word[1]).lower() if word else ""


def blocks(text: str) -> list[Block]:
    """All fenced blocks in order. A fence that is never closed reaches to the end of the text.

    >>> [(block.language, block.body) for block in blocks("Use\\n```py\\na = 1\\n```\\nand\\n~~~\\nb = 2")]
    [('py', 'a = 1'), ('', 'b = 2')]
    """
    return list(_blocks(text)) if "```" in text or "~~~" in text else []


@lru_cache(maxsize=8)
def _blocks(text: str) -> tuple[Block, ...]:
    """Kept, since what reads a text asks for its blocks several times."""
    found: list[Block] = []
    inside: tuple[str, str, int, int, int] | None = None
    body: list[str] = []
    for start, end, line in _lines(text):
        quoted = _QUOTED.match(line) if inside is None and ">" in line else None
        depth = (quoted[0].count(">") if quoted else 0) if inside is None else inside[4]
        bare = _unquoted(line, depth) if depth else line
        if bare is None:  # the quotation ends, and so does a block in it
            assert inside is not None
            found.append(Block(inside[1], "\n".join(body), inside[3], max(start - 1, inside[3])))
            inside, bare = None, line
        fence = _FENCE.fullmatch(bare) if "```" in bare or "~~~" in bare else None
        mark = (fence[2] or fence[4]) if fence else ""
        if inside is None:
            if fence is not None and mark:
                inside, body = (mark, (fence[3] or fence[5] or "").strip(), len(fence[1]), start, depth), []
            continue
        opened, info, margin, began, _ = inside
        if fence is not None and _closes(fence, mark, opened, margin):
            found.append(Block(info, "\n".join(body), began, end))
            inside = None
        else:
            body.append(bare[min(margin, len(bare) - len(bare.lstrip(" \t"))) :])
    if inside is not None:
        found.append(Block(inside[1], "\n".join(body), inside[3], len(text)))
    return tuple(found)


def _unquoted(line: str, depth: int) -> str | None:
    """A line without the marks of so many quotations; None where it stands in fewer."""
    for _ in range(depth):
        mark = _QUOTE.match(line)
        if mark is None:
            return None
        line = line[mark.end() :]
    return line


def _closes(fence: re.Match[str], mark: str, opened: str, margin: int) -> bool:
    """Whether a fence closes a block: of its kind, as long or longer, with nothing behind it, and not far inside."""
    alike = bool(mark) and mark[0] == opened[0] and len(mark) >= len(opened)
    return alike and not (fence[3] or fence[5] or "").strip() and len(fence[1]) <= margin + _DEEPEST


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and text of every line, without its end."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].rstrip("\r")
        yield start, end, line.lstrip("\ufeff\u200b") if line[:1] in _UNSEEN else line
        start = end + 1


def without_blocks(text: str) -> str:
    """A text with a line's end in place of every fenced block."""
    parts, at = [], 0
    for block in blocks(text):
        parts += [text[at : block.start], "\n"]
        at = block.end
    return "".join([*parts, text[at:]])
