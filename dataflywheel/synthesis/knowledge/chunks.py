"""A document in pieces that one question can show, and a quotation found again in its text."""

from __future__ import annotations

from dataflywheel.synthesis.knowledge.sections import Span, sections, sentences


def chunks(text: str, longest: int, shortest: int = 0) -> list[Span]:
    """Places that together hold every section, in order; each at most `longest` characters.

    A section is never split but where it is longer by itself, then at its sentences; neighbours are joined until they
    have `shortest` characters.
    """
    found: list[Span] = []
    for one in sections(text):
        if found and one.start < found[-1][1]:  # the items of a list lie within it
            continue
        for start, end in _pieces(text, one.start, one.end, longest):
            if found and found[-1][1] - found[-1][0] < shortest and end - found[-1][0] <= longest:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def _pieces(text: str, start: int, end: int, longest: int) -> list[Span]:
    if end - start <= longest:
        return [(start, end)]
    pieces: list[Span] = []
    for a, b in sentences(text, start, end):
        for cut in range(a, b, longest):
            piece = (cut, min(cut + longest, b))
            if pieces and piece[1] - pieces[-1][0] <= longest:
                pieces[-1] = (pieces[-1][0], piece[1])
            else:
                pieces.append(piece)
    return pieces


def locate(quotation: str, text: str, start: int = 0, end: int | None = None) -> Span | None:
    """Where a quotation stands in `text[start:end]`, word for word; only white space may differ. None: nowhere.

    >>> locate("b  c", "a b\\nc d"), locate("b d", "a b\\nc d")
    ((2, 5), None)
    """
    wanted = " ".join(quotation.split())
    if not wanted:
        return None
    piece = text[start:end]
    places = [i for i, c in enumerate(piece) if not c.isspace() or (i and not piece[i - 1].isspace())]
    plain = "".join(" " if piece[i].isspace() else piece[i] for i in places)
    at = plain.find(wanted)
    return None if at < 0 else (start + places[at], start + places[at + len(wanted) - 1] + 1)
