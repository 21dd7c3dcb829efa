"""A document as sections: paragraphs, lists, examples and signatures, each with where it stands in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["paragraph", "item", "list", "example", "signature"]
Span = tuple[int, int]

_UNDERLINE = re.compile(r"[=\-~^*#]{3,}\s*")
_MARKDOWN = re.compile(r"#{1,6}\s+\S")
_BULLET = re.compile(r"[ \t]*+(?:[-*+•]|\(?\d{1,3}[.)]|\(?[a-z]\))[ \t]+(?=\S)")
_FIELD = r"(?::[a-z]+[ \t]++(?=\w+:))?"
_TERM = rf"[ \t]*+[-*+•]?[ \t]*+{_FIELD}['\"`*]{{0,2}}(?P<term>[\w.\-<>\[\]()]+(?: [\w.\-]+){{0,3}}?)['\"`*]{{0,2}}"
DEFINED = re.compile(rf"{_TERM}(?:[ \t]*:[ \t]+|[ \t]+(?:--?|\u2013|\u2014)[ \t]+|[ \t]{{3,}})(?=\S)")
"""A term and, behind a colon, a dash or a gap, what it means."""
_TITLE_LINE = re.compile(r"^[ \t]*[A-Z][\w ]{2,40}:[ \t]*$", re.MULTILINE)
_SIGNATURE = re.compile(r"[\w.\[\]]+\(.*\)(?:[ \t]*--?>[ \t]*.+?)?[.:]?\s*")
LONGEST_SIGNATURE = 1000
"""Characters of a line that may be a signature."""
_SENTENCE_END = re.compile(r"[.!?][\"')\]*`]*(?:(?=\s+[A-Z\"'`*(\d])|(?=[ \t]*\n)|(?=[ \t]{2,}))")
_NOT_ENDS = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|St|No|Fig|al|approx|[A-Z])|\s\d{1,2})\.$")


@dataclass(frozen=True)
class Section:
    """One part of a document: `text[start:end]`; the sentences of prose lie in it, in order."""

    kind: Kind
    start: int
    end: int
    heading: str = ""
    sentences: tuple[Span, ...] = ()
    term: str = ""
    """What an item of a list defines."""


def sections(text: str) -> list[Section]:
    """The sections of a document in their order. Together they hold all of it but headings and blank lines.

    >>> [(s.kind, s.heading) for s in sections("Intro here.\\n\\nUse\\n---\\nCall it. Then wait.\\n\\n>>> f(1)\\n2")]
    [('paragraph', ''), ('paragraph', 'Use'), ('example', 'Use')]
    """
    found: list[Section] = []
    heading = ""
    for start, end in _blocks(text):
        title, start = _title(text, start, end)
        heading = title if title is not None else heading
        if start < end:
            found += _of_block(text, start, end, heading)
    return found


def sentences(text: str, start: int, end: int) -> list[Span]:
    """The sentences of prose in `text[start:end]`, without the blanks around them.

    >>> text = "See e.g. this. It works.  size is a number."
    >>> [text[a:b] for a, b in sentences(text, 0, len(text))]
    ['See e.g. this.', 'It works.', 'size is a number.']
    """
    ends = [
        match.end()
        for match in _SENTENCE_END.finditer(text, start, end)
        if not _NOT_ENDS.search(text[max(start, match.end() - 8) : match.end()])
    ]
    bounds = [start, *(e for e in ends if e < end), end]
    return [span for span in map(lambda a, b: stripped(text, a, b), bounds, bounds[1:]) if span[0] < span[1]]


def stripped(text: str, start: int, end: int) -> Span:
    """The same place without blanks at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _blocks(text: str) -> list[Span]:
    """Lines between blank ones, with the indentation of the first."""
    found: list[Span] = []
    at, start = 0, -1
    for line in text.split("\n"):
        if line.strip():
            start = at if start < 0 else start
            end = at + len(line.rstrip())
        elif start >= 0:
            found.append((start, end))
            start = -1
        at += len(line) + 1
    return [*found, (start, end)] if start >= 0 else found


def _title(text: str, start: int, end: int) -> tuple[str | None, int]:
    """The heading at the head of a block, None where there is none, and where the rest begins."""
    lines = text[start:end].split("\n")
    if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip()) and len(lines[0].split()) <= 12:
        return lines[0].strip(" :"), min(end, start + len(lines[0]) + len(lines[1]) + 2)
    if _MARKDOWN.match(lines[0]):
        return lines[0].strip("# "), min(end, start + len(lines[0]) + 1)
    alone = lines[0].strip()
    if len(lines) > 1 and re.fullmatch(r"[A-Z][\w ]{2,40}:", alone) and lines[1].startswith((" ", "\t", "-", "*")):
        return alone.strip(" :"), start + len(lines[0]) + 1
    if len(lines) == 1 and re.fullmatch(r"[A-Z][\w ,'-]{2,50}:?", alone) and len(alone.split()) <= 4:
        return alone.strip(" :"), end
    return None, start


def _of_block(text: str, start: int, end: int, heading: str) -> list[Section]:
    """A block's sections: a signature comes off its head, examples off its tail, lists fall into items."""
    found: list[Section] = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if stop - start > LONGEST_SIGNATURE or not _SIGNATURE.fullmatch(text, start, stop):
            break
        found.append(Section("signature", *stripped(text, start, stop), heading))
        start = stop + 1
    return found if start >= end else [*found, *_without_signatures(text, start, end, heading)]


def _without_signatures(text: str, start: int, end: int, heading: str) -> list[Section]:
    block = text[start:end]
    example = re.search(r"^[ \t]*>>> ", block, re.MULTILINE)
    if example is not None and example.start() > 0:
        cut = start + example.start()
        return [
            *_without_signatures(text, start, cut - 1, heading),
            Section("example", *stripped(text, cut, end), heading),
        ]
    if example is not None or _is_code(block):
        return [Section("example", *stripped(text, start, end), heading)]
    return _listed(text, start, end, heading) or [
        Section("paragraph", *stripped(text, start, end), heading, tuple(sentences(text, start, end)))
    ]


def _is_code(block: str) -> bool:
    lines = block.split("\n")
    indented = all(line.startswith(("    ", "\t")) or not line for line in lines)
    marks = sum(bool(re.search(r"[=(){}\[\];|]|^\s*(?:import|from|def|class|for|if|with|return)\b", x)) for x in lines)
    return indented and 2 * marks > len(lines)


def _listed(text: str, start: int, end: int, heading: str) -> list[Section]:
    """The items of a list, and before them what introduces it; nothing where the block is no list."""
    begins: list[tuple[int, str]] = []
    at = start
    lines = text[start:end].split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if _opens(line)), default=0)
    for line in lines:
        if _opens(line) and len(line) - len(line.lstrip()) == margin:
            named = DEFINED.match(line)
            begins.append((at, named["term"] if named else ""))
        at += len(line) + 1
    if len(begins) < 2 and not (begins and _BULLET.match(lines[0])):
        return []
    first = begins[0][0]
    items = [
        Section("item", *stripped(text, a, _item_end(text, a, b)), heading, (), term)
        for (a, term), (b, _) in zip(begins, [*begins[1:], (end, "")], strict=True)
    ]
    intro = stripped(text, start, first)
    if intro[0] == intro[1]:
        return items
    whole = Section("list", intro[0], items[-1].end, heading, tuple(sentences(text, *intro)))
    return [whole, *items]


def _item_end(text: str, start: int, end: int) -> int:
    """Where an item ends: a line that is only a title, such as `Returns:`, is no part of it."""
    title = _TITLE_LINE.search(text, start, end)
    return title.start() if title is not None and title.start() > start else end


def _opens(line: str) -> bool:
    return bool(_BULLET.match(line) or DEFINED.match(line))
