"""Thoughts that a model writes before its answer: in which forms, and where they end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataflywheel.rows import thought_forms as forms
from dataflywheel.rows.fences import fenced

PREAMBLE = 300
"""Characters that may stand before thoughts that do not begin the text."""
WINDOW = 200
"""How far a quotation mark of the same line is looked for."""


@dataclass(frozen=True, slots=True)
class _Tag:
    start: int
    end: int
    form: str
    opens: bool


def split_thoughts(text: str) -> tuple[str, str]:
    r"""(thoughts, answer) of a text as a model wrote it; ("", text) where it holds no thoughts.

    Where a tag stands decides what it is. One that opens the text begins thoughts, which last to the tag that closes
    it; without one they were cut off, and the answer is "". A closing tag without an opening one ends thoughts that the
    prompt began, if it stands where a block or a sentence ends. Tags in quotation marks, in inline code or, as a pair,
    in fenced code are talked about and are no borders, nor are tags in the middle of a sentence.

    >>> split_thoughts("<think>\nTwo and two.\n</think>\n\nFour.")
    ('Two and two.', 'Four.')
    >>> split_thoughts("Two and two.\n</think>\n\nFour.")
    ('Two and two.', 'Four.')
    >>> split_thoughts("<think>Two and")
    ('Two and', '')
    >>> split_thoughts("Wrap it in <think> and </think> tags.")
    ('', 'Wrap it in <think> and </think> tags.')
    """
    found = forms.channels(text) or forms.spoken(text)
    if found is not None:
        return found
    tags = _tags(text)
    blocks = list(_blocks(text, tags)) if tags else []
    if not blocks:
        return "", text
    thoughts = [text[begin:end].strip() for begin, end, _, _ in blocks]
    kept, at = [], 0
    for _, _, start, after in blocks:
        kept.append(text[at:start])
        at = after
    kept.append(text[at:])
    before = "\n\n".join(part.strip() for part in kept[:-1] if not _leads(part))
    said = forms.unwrapped(kept[-1].lstrip())
    return "\n\n".join(filter(None, thoughts)), "\n\n".join(filter(None, (before, said)))


def marks_thoughts(text: str) -> bool:
    """Whether a tag of thoughts stands in the text that is not just quoted or shown as code."""
    return bool(_tags(text))


def opened_by(prompt: str) -> str:
    r"""The tag with which the end of a prompt begins the thoughts that are to follow; "" where it begins none.

    >>> opened_by("<|im_start|>assistant\n<think>\n"), opened_by("<think>\n\n</think>\n\n")
    ('<think>\n', '')
    """
    end = prompt[-WINDOW:]
    last = max(forms.TAG.finditer(end), key=lambda tag: tag.start(), default=None)
    if last is None or end[last.end() :].strip() or not forms.form_of(last)[1]:
        return ""
    return end[last.start() :]


def _tags(text: str) -> list[_Tag]:
    """The tags that may be borders, in order."""
    found = [_Tag(m.start(), m.end(), *forms.form_of(m)) for m in forms.TAG.finditer(text)]
    return _outside_code(text, [tag for tag in found if not _quoted(text, tag)]) if found else []


def _quoted(text: str, tag: _Tag) -> bool:
    """Whether the tag stands in quotation marks or inline code of its line."""
    line = text.rfind("\n", max(0, tag.start - WINDOW), tag.start)
    before = text[max(line + 1, tag.start - WINDOW) : tag.start]
    after = text[tag.end : tag.end + WINDOW].partition("\n")[0]
    if before[-1:] in forms.QUOTES_OPEN or after[:1] in forms.QUOTES_CLOSE:
        return True
    if before.replace("```", "").count("`") % 2 and "`" in after.replace("```", ""):
        return True
    for mark in "\"'":
        beside = before.endswith(mark) or after.startswith((mark, "\\n" + mark))
        opened = re.sub(r"(?<=\w)'(?=\w)", "", before).count(mark) % 2
        if opened and mark in after and (beside or after.startswith("\\")):
            return True
    return False


def _outside_code(text: str, tags: Sequence[_Tag]) -> list[_Tag]:
    """Without the pairs, and the openings, that stand in one block of fenced code; a closing tag alone ends thoughts
    that left a fence open."""
    kept: list[_Tag] = []
    fences = [(block.start, block.end) for block in fenced(text)]
    place = 0
    inside: list[_Tag] = []
    for tag in tags:
        while place < len(fences) and fences[place][1] <= tag.start:
            place, inside = place + 1, []
        if place == len(fences) or tag.start < fences[place][0]:
            kept.append(tag)
        elif tag.opens:
            inside.append(tag)
        elif inside:
            inside.pop()
        else:
            kept.append(tag)
    return kept


def _blocks(text: str, tags: Sequence[_Tag]) -> Iterator[tuple[int, int, int, int]]:
    """Each block of thoughts: where they begin and end, where the block begins, and where the text goes on."""
    closings = _closings(text, tags)
    at = place = 0
    while place < len(tags):
        tag = tags[place]
        head = tag.start - at <= WINDOW and _leads(text[at : tag.start])
        if tag.opens:
            closing = closings[place]
            if head or (_begins_line(text, tag) and (at > 0 or _after_preamble(text, tag, closing))):
                end = closing or _Tag(len(text), len(text), tag.form, False)
                yield tag.end, end.start, tag.start, end.end
                at = end.end
        elif tag.form not in forms.NEVER_ALONE and (head or (_alone if at else _ends_thoughts)(text, tag)):
            yield at, tag.start, at, tag.end
            at = tag.end
        if not at:
            return
        while place < len(tags) and tags[place].start < at:
            place += 1
        place += tag.start >= at


def _closings(text: str, tags: Sequence[_Tag]) -> list[_Tag | None]:
    """For each tag that opens, the one that closes it, past pairs within it.

    Where one within was never closed, both share the next that closes; where nothing closes its form, any other does.
    """
    found: list[_Tag | None] = [None] * len(tags)
    waiting: dict[str, list[int]] = {}
    for place, tag in enumerate(tags):
        if not tag.opens:
            if waiting.get(tag.form):
                found[waiting[tag.form].pop()] = tag
        elif _begins_line(text, tag) or _leads(text[tags[place - 1].end if place else 0 : tag.start][: WINDOW + 1]):
            waiting.setdefault(tag.form, []).append(place)
    forms_closed = {tag.form for tag in tags if not tag.opens}
    nearest: dict[str, _Tag | None] = {}
    any_closing: _Tag | None = None
    for place in range(len(tags) - 1, -1, -1):
        tag = tags[place]
        if not tag.opens:
            any_closing = tag
        else:
            found[place] = found[place] or (nearest.get(tag.form) if tag.form in forms_closed else any_closing)
            nearest[tag.form] = found[place]
    return found


def _leads(before: str) -> bool:
    """Whether what stands before a tag is no text."""
    return len(before) <= WINDOW and forms.LEAD.fullmatch(before) is not None


def _after_preamble(text: str, tag: _Tag, closing: _Tag | None) -> bool:
    """Whether thoughts follow a few words, rather than being shown as an example after a colon."""
    before = text[: tag.start].rstrip() if tag.start <= PREAMBLE else ":"
    if before.lstrip()[:1] in ("{", "["):
        return False
    return closing is not None and not before.endswith((":", "\uff1a")) and bool(text[closing.end :].strip())


def _begins_line(text: str, tag: _Tag) -> bool:
    before = text[max(0, tag.start - WINDOW) : tag.start].rstrip(" \t")
    return before.endswith("\n") or (not before and tag.start <= WINDOW)


def _alone(text: str, tag: _Tag) -> bool:
    return _begins_line(text, tag) and not text[tag.end : tag.end + WINDOW].partition("\n")[0].strip()


def _ends_thoughts(text: str, tag: _Tag) -> bool:
    """Whether a closing tag without an opening one is a border, and not a word of a sentence."""
    before = text[max(0, tag.start - WINDOW) : tag.start]
    after = text[tag.end : tag.end + WINDOW]
    if (after[:1] and after[0] in ",.;:!?)") or _in_json(text[: tag.start]):
        return False
    said = before.rstrip()
    if _begins_line(text, tag) or (said and said[-1] in forms.SENTENCE_ENDS):
        return True
    word = after.lstrip(" \t")
    if not before[-1:].isspace():
        return not (word != after and word[:1].islower())
    if word.startswith("\n"):
        return not word.split("\n", 2)[1].strip() and bool(word.strip())
    return bool(word) and not word[0].islower()


def _in_json(before: str) -> bool:
    """Whether what stands before a tag is the beginning of JSON that ends within a string."""
    start = re.sub(r"\A\s*```\w*", "", before).lstrip()
    return start[:1] in ("{", "[") and len(re.findall(r'(?<!\\)"', start)) % 2 == 1
