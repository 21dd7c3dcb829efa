"""Pieces of a graph that grow from one statement along what a model knows least, each statement in one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dataflywheel.synthesis.knowledge.graph import Graph

Order = Literal["max_loss", "min_loss", "random"]


@dataclass(frozen=True)
class Bounds:
    """How far a piece grows."""

    depth: int
    """Steps from the statement that it grows from, each to one that shares a thing with the one before."""
    edges: int
    """Statements beside that one, at most."""
    chars: int
    """Characters of all its statements together; the first may be longer."""


def grow(graph: Graph, start: int, free: Mapping[int, float], bounds: Bounds) -> list[int]:
    """The statements of the piece that grows from `start`, in the order in which they joined.

    `free` holds the statements that may be taken, with their rank: of those beside the piece the one of the smallest
    rank joins next, of equal ones the earlier, as long as it is within the bounds.
    """
    taken, depth = [start], {start: 0}
    room = bounds.chars - len(graph.statements[start].text)
    while len(taken) <= bounds.edges:
        beside: dict[int, int] = {}
        for place in taken:
            if depth[place] < bounds.depth:
                for other in graph.beside(place):
                    if other in free and other not in depth:
                        beside[other] = min(beside.get(other, depth[place] + 1), depth[place] + 1)
        fits = [one for one in beside if len(graph.statements[one].text) <= room]
        if not fits:
            break
        best = min(fits, key=lambda one: (free[one], one))
        taken.append(best)
        depth[best] = beside[best]
        room -= len(graph.statements[best].text)
    return taken


def ranks(graph: Graph, losses: Mapping[int, float], order: Order) -> dict[int, float]:
    """The statements whose loss is known, the smallest rank first to be taken. `random` is an order that depends on the
    texts alone."""
    if order == "random":
        return {place: _chance(graph.statements[place].text) for place in losses}
    return {place: -loss if order == "max_loss" else loss for place, loss in losses.items()}


def pieces(
    graph: Graph, documents: Sequence[str], free: Mapping[int, float], bounds: Sequence[Sequence[Bounds]]
) -> list[dict[str, list[int]]]:
    """For each visit the pieces by the document from whose statement they grew; a statement is in one piece of all.

    `bounds[visit][place of the document]`. In each visit the documents with the best statements left come first; one
    of which none is left has no piece.
    """
    left, found = dict(free), list[dict[str, list[int]]]()
    for limits in bounds:
        grown: dict[str, list[int]] = {}
        waiting = dict(zip(documents, limits, strict=True))
        for place in sorted(left, key=lambda place: (left[place], place)):
            document = next((d for d in graph.statements[place].documents if d in waiting), None)
            if place in left and document is not None:
                grown[document] = grow(graph, place, left, waiting.pop(document))
                for one in grown[document]:
                    del left[one]
        found.append(grown)
    return found


def _chance(text: str) -> float:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48
