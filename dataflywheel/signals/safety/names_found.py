"""What a recogniser finds in texts beside the patterns: these win where both find something, and code is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dataflywheel.signals.safety.name_recogniser import recogniser
from dataflywheel.signals.safety.name_types import NAME_TYPES
from dataflywheel.signals.safety.personal_data_patterns import SURROGATE, Span, find
from dataflywheel.signals.wording.fences import blocks

_INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)(?:(?!\n\n)[^`]|(?!\1(?!`))`){1,400}?\1(?!`)")
_SIGNS = re.compile(r"^[\W_]+|(?:[\W_]+|['\u2019]s)$")
_WORDS = re.compile(r"^\S+"), re.compile(r"\S+$")
_IDEOGRAPHS = "\u2e80"
"""From here on one letter may be a word."""

Place = tuple[int, int]


def names_in(texts: Sequence[str], names: str, types: Sequence[str] = NAME_TYPES) -> list[list[Span]]:
    """Names of the asked types in each text, in order, without overlaps with each other or with what patterns find.

    Code blocks, inline code and stand-ins of a redaction are nobody's name. A name of one letter is none.

    Raises:
        UsageError: the recogniser is not installed.
    """
    read = sorted({text for text in texts if any(map(str.isalpha, text))})
    code = {text: code_places(text) for text in read}
    found = recogniser(names).find([_without(text, code[text]) for text in read])
    known: dict[str, list[Span]] = {}
    for text, spans in zip(read, found, strict=True):
        taken = _taken(text, code[text]) if spans else []
        known[text] = [part for span in spans for part in _parts(text, span, taken)]
    return [[span for span in known.get(text, ()) if span.type in types] for text in texts]


def code_places(text: str) -> list[Place]:
    """Where code stands between fences or single marks, in order.

    >>> code_places("Use `Ada` or Ada")
    [(4, 9)]
    """
    if "`" not in text and "~~~" not in text:
        return []
    fenced = [(block.start, block.end) for block in blocks(text)]
    single = (match.span() for match in _INLINE.finditer(_without(text, fenced)))
    return sorted([*fenced, *single])


def _without(text: str, places: Sequence[Place]) -> str:
    """The text with blanks in these places, so that all others stay where they are."""
    for start, end in places:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _taken(text: str, code: Sequence[Place]) -> list[Place]:
    stand_ins = [match.span() for match in SURROGATE.finditer(text)]
    return sorted([*code, *stand_ins, *((span.start, span.end) for span in find(text))])


def _parts(text: str, span: Span, taken: Sequence[Place]) -> Iterator[Span]:
    """What of a name is free; a piece of one that was cut begins and ends with a word that may be a name."""
    at, whole = span.start, True
    for start, end in [*taken, (span.end, span.end)]:
        if end <= span.start or start > span.end:
            continue
        whole = whole and start == end == span.end
        first, last = _trimmed(text, at, min(start, span.end), whole)
        if first < last:
            yield Span(span.type, first, last)
        at = end
        if at >= span.end:
            return


def _trimmed(text: str, start: int, end: int, whole: bool) -> Place:
    """The place without signs around it, an apostrophe of possession and, in a piece, small words; empty where no name
    is left."""
    while (outer := _outer(text[start:end], whole)) is not None:
        start, end = (start + len(outer[0]), end) if outer.start() == 0 else (start, end - len(outer[0]))
    letters = [sign for sign in text[start:end] if sign.isalpha()]
    return (start, end) if len(letters) > 1 or any(sign >= _IDEOGRAPHS for sign in letters) else (end, end)


def _outer(piece: str, whole: bool) -> re.Match[str] | None:
    """What does not belong to a name at one end of it."""
    if (found := _SIGNS.search(piece)) is not None or whole:
        return found
    words = (pattern.search(piece) for pattern in _WORDS)
    return next((word for word in words if word and word[0].islower()), None)
