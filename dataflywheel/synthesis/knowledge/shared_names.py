"""Names that two documents share, as the step from one to the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataflywheel.signals.wording.names import names
from dataflywheel.synthesis.knowledge.chunks import chunks
from dataflywheel.synthesis.knowledge.sections import Span

COMMON = 8
"""Documents that may share a name, at most: one that stands in more says little of any of them."""
LOOKED = 20_000
"""Characters of a document in which names are looked for."""
SHORTEST = 3
_BETWEEN = re.compile(r"[ \u00a0]|-|\u2019s |'s | of | de | van | von ")


@dataclass(frozen=True)
class Bridge:
    """A name, and the document that shares it."""

    name: str
    other: int


def bridges(texts: Sequence[str]) -> list[list[Bridge]]:
    """For each document its steps to others, the rarest names first, then the longest."""
    each = [phrases(text[:LOOKED]) for text in texts]
    holders: dict[str, list[int]] = {}
    for i, found in enumerate(each):
        for name in found:
            holders.setdefault(name, []).append(i)
    made: list[list[Bridge]] = []
    for i, found in enumerate(each):
        shared = [name for name in found if 2 <= len(holders[name]) <= COMMON]
        shared.sort(key=lambda name: (len(holders[name]), -len(name), name))
        steps = [Bridge(found[name], other) for name in shared for other in holders[name] if other != i]
        made.append(_no_parts(steps))
    return made


def phrases(text: str) -> Mapping[str, str]:
    """Names of a text, several capitalised words that follow each other as one, by how they are compared.

    >>> list(phrases("The painter Ann Lee met Ray of New York. Ann Lee stayed.").values())
    ['Ann Lee', 'Ray of New York']
    """
    found: dict[str, str] = {}
    run: list[tuple[int, int]] = []
    for word in [*names(text), None]:
        if word is not None and run and _BETWEEN.fullmatch(text[run[-1][1] : word.start]):
            run.append((word.start, word.start + len(word.text)))
            continue
        if run and run[-1][1] - run[0][0] >= SHORTEST:
            name = " ".join(text[run[0][0] : run[-1][1]].split())
            found.setdefault(name.casefold(), name)
        run = [(word.start, word.start + len(word.text))] if word is not None else []
    return found


def _no_parts(steps: Sequence[Bridge]) -> list[Bridge]:
    """Without names that are part of a longer one that leads to the same document."""
    return [
        one
        for one in steps
        if not any(one.other == b.other and one.name != b.name and holds(b.name, one.name) for b in steps)
    ]


def holds(text: str, name: str) -> bool:
    """Whether a text has the name as words of its own, in any capitals.

    >>> holds("Who led BORVO works?", "Borvo Works"), holds("The Borvos", "Borvo")
    (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", " ".join(text.split()), re.IGNORECASE) is not None


def part_with(text: str, name: str, longest: int) -> Span:
    """The first part of a document that has the name, as long as may be shown."""
    parts = chunks(text, longest, longest) or [(0, min(len(text), longest))]
    return next((place for place in parts if holds(text[slice(*place)], name)), parts[0])
