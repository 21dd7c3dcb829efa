"""Two texts side by side with what differs marked, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from dataflywheel.report.drawing.markup import SHOWN_CHARACTERS, esc, passage

_PIECE = re.compile(r"\s+|\w+|[^\w\s]")


def beside(one: str, other: str, limit: int = SHOWN_CHARACTERS) -> tuple[str, str]:
    """Both texts as blocks like those of `passage`; words that the other one has not in their place are marked.

    Texts with less than a third in common are shown without marks: all of them would differ.
    """
    if one == other or not one or not other:
        return passage(one, limit), passage(other, limit)
    a, b = (_PIECE.findall(text[:limit]) for text in (one, other))
    found = SequenceMatcher(None, a, b, autojunk=False)
    if found.ratio() < 1 / 3:
        return passage(one, limit), passage(other, limit)
    same_a, same_b = (set[int](), set[int]())
    for match in found.get_matching_blocks():
        same_a |= set(range(match.a, match.a + match.size))
        same_b |= set(range(match.b, match.b + match.size))
    return _block(a, same_a, one, limit), _block(b, same_b, other, limit)


def _block(pieces: list[str], same: set[int], text: str, limit: int) -> str:
    body, run = "", ""
    for at, piece in enumerate(pieces):
        if at in same:
            body, run = body + _marked(run) + esc(piece), ""
        else:
            run += piece
    body += _marked(run)
    if len(text) > limit:
        body += f'\u2026 <span class="cut">({len(text):,} characters in all)</span>'
    return f'<div class="text" dir="auto">{body}</div>'


def _marked(text: str) -> str:
    return f"<mark>{esc(text)}</mark>" if text.strip() else esc(text)
