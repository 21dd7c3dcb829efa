"""Slots of a text: strings that must stand in it letter for letter, found and counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataflywheel.signals.wording.names import names
from dataflywheel.signals.wording.sentences import UNSPACED

QUOTED = re.compile(
    r"(?<!\d)\"([^\"\n]{1,200})\"|\u201c([^\u201d\n]{1,200})\u201d|\u00ab\s?([^\u00bb\n]{1,200}?)\s?\u00bb"
    r"|\u201e([^\u201c\u201d\n]{1,200})[\u201c\u201d]|\u300c([^\u300d\n]{1,200})\u300d"
    r"|\u00bb([^\u00ab\u00bb\n]{1,200})[\u00ab\u00bb]|\u201d([^\u201d\n]{1,200})\u201d"
    r"|\u2018([^\u2018\u2019\n]{1,200})\u2019(?!\w)|\u300e([^\u300f\n]{1,200})\u300f|\u300a([^\u300b\n]{1,200})\u300b"
)
"""What stands in quotation marks, as English, French, German, Swedish and Chinese put them; a straight one behind a
digit means inches."""


def counts(text: str, slots: Sequence[str]) -> list[int]:
    """How often each slot stands in a text: as whole words, and not as a part of a longer slot that stands there.

    >>> counts("A lipid disorder is no lipid.", ["lipid", "lipid disorder"])
    [1, 1]
    """
    if not slots:
        return []
    pattern = "|".join(map(_whole, sorted(set(slots), key=lambda slot: (-len(slot), slot))))
    found = [match[0] for match in re.finditer(pattern, text)]
    return [found.count(slot) for slot in slots]


def _whole(slot: str) -> str:
    """A slot as a pattern that is not the inside of a word; scripts without spaces have no such bounds."""
    before = r"(?<!\w)" if re.match(r"\w", slot) and not UNSPACED.match(slot[0]) else ""
    after = r"(?!\w)" if re.search(r"\w$", slot) and not UNSPACED.match(slot[-1]) else ""
    return f"{before}{re.escape(slot)}{after}"


def slots_of(text: str) -> list[str]:
    """What is quoted in a text; where nothing is, its names, those that stand side by side as one.

    >>> slots_of('Does "lipid" affect Ann?'), slots_of("Did Ann Lee meet Bob?")
    (['lipid'], ['Ann Lee', 'Bob'])
    """
    quoted = ["".join(part or "" for part in match.groups()).strip() for match in QUOTED.finditer(text)]
    if any(quoted):
        return list(dict.fromkeys(filter(None, quoted)))
    spans: list[tuple[int, int]] = []
    for word in names(text):
        end = word.start + len(word.text)
        if spans and text[spans[-1][1] : word.start] == " ":
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((word.start, end))
    return list(dict.fromkeys(text[start:end] for start, end in spans))
