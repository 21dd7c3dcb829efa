"""Text that was decoded wrongly, made whole again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from dataflywheel.rows.fences import fenced

_OPENED = re.compile(r"(?m)^[ \t]{0,12}(?:```|~~~)")
_TICKS = re.compile("`+")
_LOST = re.compile("\u00c3 [\u0080-\u00bf]|\u00e2\u20ac ")
"""Where a byte of a broken character was lost or stands apart: the guess of another one would be wrong."""
_SPOKEN_OF = re.compile(r"""(["'])[^\x00-\x7f]{2,8}\1""")
"""A few odd characters alone within straight quotes: a text about broken text."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def repaired(text: str, entities: bool = False) -> str:
    """The text with what was decoded in the wrong encoding, once or several times, decoded in the right one.

    Characters of the range U+0080 to U+009F, which no encoding means, become those of Windows-1252. Nothing else
    changes: quotes stay curled, widths, ligatures, line ends and normal forms stay, and so does all code: fenced
    blocks, an opened block to the end of the text, and spans within back-quotes. A line is left as it is where a byte
    is lost, so that its repair would be a guess, or where it speaks of broken text.

    `entities`: HTML entities become the characters that they stand for, in texts without a `<`, with which they may
    be meant; JSON stays.

    >>> repaired("cafÃ©"), repaired("AT&amp;T", entities=True), repaired("a `Ã©` stays")
    ('café', 'AT&T', 'a `Ã©` stays')
    """
    plain = not (entities and "&" in text) or "<" in text or text.lstrip()[:1] in ("{", "[")
    if text.isascii() and plain:
        return text
    pieces = []
    for piece, code in _parts(text):
        if not code and not plain:
            piece = _ENTITY.sub(lambda found: html.unescape(found[0]), piece)
        pieces.append(piece if code or piece.isascii() else "\n".join(map(_line, piece.split("\n"))))
    return "".join(pieces)


def _line(line: str) -> str:
    if line.isascii() or _LOST.search(line) or _SPOKEN_OF.search(line):
        return line
    from ftfy import fix_text

    found: str = fix_text(line, _config())
    return found if found.count("\ufffd") <= line.count("\ufffd") else line


@lru_cache(maxsize=1)
def _config() -> Any:
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        replace_lossy_sequences=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is code."""
    at = 0
    for block in fenced(text):
        yield from _spans(text[at : block.start])
        yield text[block.start : block.end], True
        at = block.end
    rest = text[at:]
    opened = _OPENED.search(rest)
    end = len(rest) if opened is None else opened.start()
    yield from _spans(rest[:end])
    yield rest[end:], True


def _spans(text: str) -> Iterator[tuple[str, bool]]:
    """Code within back-quotes ends at the next run of as many of them in its paragraph."""
    runs = [run.span() for run in _TICKS.finditer(text)] if "`" in text else []
    closing, seen = [-1] * len(runs), dict[int, int]()
    for i in range(len(runs) - 1, -1, -1):
        size = runs[i][1] - runs[i][0]
        closing[i] = seen.get(size, -1)
        seen[size] = i
    at = i = 0
    while i < len(runs):
        start, inside = runs[i]
        if closing[i] < 0 or text.find("\n\n", inside, runs[closing[i]][0]) >= 0:
            i += 1
            continue
        end = runs[closing[i]][1]
        yield text[at:start], False
        yield text[start:end], True
        at, i = end, closing[i] + 1
    yield text[at:], False
