"""A graph of what documents state: things that have names, joined by the statements about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Statement:
    """What a document says of one thing, or of two."""

    text: str
    """A whole sentence."""
    subject: str
    object: str
    """The other thing, "" where the statement is about its subject alone."""
    documents: tuple[str, ...]
    """Ids of the documents that state it."""
    denial: str = ""
    """A sentence that is false because of it, "" where there is none."""

    @property
    def things(self) -> tuple[str, ...]:
        """What it is about, as names are compared."""
        return tuple(dict.fromkeys(filter(None, map(bare, (self.subject, self.object)))))


class Graph:
    """Statements, each once, as the edges between the things that they are about."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        held: dict[str, Statement] = {}
        for one in statements:
            key = bare(one.text)
            known = held.get(key)
            documents = dict.fromkeys([*(known.documents if known else ()), *one.documents])
            held[key] = replace(known or one, documents=tuple(documents))
        self.statements = list(held.values())
        self._about: dict[str, list[int]] = {}
        for place, one in enumerate(self.statements):
            for thing in one.things:
                self._about.setdefault(thing, []).append(place)

    def beside(self, place: int) -> list[int]:
        """The other statements that share a thing with one, in order."""
        near = {other for thing in self.statements[place].things for other in self._about[thing]}
        return sorted(near - {place})

    def of(self, document: str) -> list[int]:
        """What a document states, in order."""
        return [place for place, one in enumerate(self.statements) if document in one.documents]


def bare(text: str) -> str:
    """A name or sentence without capitals, further blanks and its last sign.

    >>> bare("The  Mill."), bare("the mill")
    ('the mill', 'the mill')
    """
    return " ".join(text.casefold().split()).rstrip(" .!?\u3002")
