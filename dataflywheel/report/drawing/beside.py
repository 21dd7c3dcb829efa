"""Two texts side by side with what differs marked, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from dataflywheel.report.drawing.markup import SHOWN_CHARACTERS, esc, passage

CHANGED = ("del", "ins")
"""Elements for what went and what came."""
_PIECE = re.compile(r"\s+|\w+|[^\w\s]")


def beside(
    one: str, other: str, limit: int = SHOWN_CHARACTERS, tags: tuple[str, str] = ("mark", "mark")
) -> tuple[str, str]:
    """Both texts as blocks like those of `passage`; words that the other one has not in their place are marked.

    Texts with less than a third in common are shown without marks: all of them would differ. `tags` are the elements
    that mark in the one and the other: `CHANGED` where the one became the other.
    """
    if one == other or not one or not other:
        return passage(one, limit), passage(other, limit)
    a, b = (_PIECE.findall(text[:limit]) for text in (one, other))
    same_a, same_b = (set[int](), set[int]())
    for match in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        same_a |= set(range(match.a, match.a + match.size))
        same_b |= set(range(match.b, match.b + match.size))
    if 3 * (_words(a, same_a) + _words(b, same_b)) < _words(a) + _words(b):
        return passage(one, limit), passage(other, limit)
    return _block(a, same_a, one, limit, tags[0]), _block(b, same_b, other, limit, tags[1])


def _words(pieces: list[str], among: set[int] | None = None) -> int:
    return sum(not piece.isspace() for at, piece in enumerate(pieces) if among is None or at in among)


def _block(pieces: list[str], same: set[int], text: str, limit: int, tag: str) -> str:
    body, run = "", ""
    for at, piece in enumerate(pieces):
        alone = piece.isspace() and not {at - 1, at + 1} & same  # within a run of others: one mark over all of it
        if at in same and not alone:
            body, run = body + _marked(run, tag) + esc(piece), ""
        else:
            run += piece
    body += _marked(run, tag)
    if len(text) > limit:
        body += f'\u2026 <span class="cut">({len(text):,} characters in all)</span>'
    return f'<div class="text" dir="auto">{body}</div>'


def _marked(text: str, tag: str) -> str:
    return f"<{tag}>{esc(text)}</{tag}>" if text.strip() else esc(text)
