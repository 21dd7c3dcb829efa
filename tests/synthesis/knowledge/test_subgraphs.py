"""How pieces of a graph grow, by an independent walk and on planted losses."""

from __future__ import annotations

import random

import pytest

from dataflywheel.synthesis.knowledge.graph import Graph, Statement
from dataflywheel.synthesis.knowledge.subgraphs import Bounds, grow, pieces, ranks

WIDE = Bounds(depth=8, edges=20, chars=10_000)


def chain(count: int) -> Graph:
    """Statement i joins thing i with thing i + 1, and is of document i."""
    return Graph([Statement(f"t{i} joins t{i + 1}.", f"t{i}", f"t{i + 1}", (f"d{i}",)) for i in range(count)])


def drawn(seed: int, things: int = 12, count: int = 30) -> tuple[Graph, dict[int, float]]:
    draw = random.Random(seed)
    pairs = dict.fromkeys((draw.randrange(things), draw.randrange(things)) for _ in range(count))
    graph = Graph([Statement(f"t{a} and t{b}.", f"t{a}", f"t{b}", (f"d{a}",)) for a, b in pairs])
    return graph, {i: draw.random() for i in range(len(graph.statements)) if draw.random() < 0.8}


@pytest.mark.parametrize("order", ["max_loss", "min_loss", "random"])
def test_the_best_statement_beside_the_piece_joins_next(order: str) -> None:
    for seed in range(20):
        graph, losses = drawn(seed)
        rank = ranks(graph, losses, order)  # type: ignore[arg-type]
        start = next(iter(rank))
        piece = grow(graph, start, rank, WIDE)
        assert len(piece) == len({*piece})
        for size in range(1, len(piece)):
            beside = {other for place in piece[:size] for other in graph.beside(place)} - {*piece[:size]}
            assert piece[size] == min(beside & rank.keys(), key=lambda place: (rank[place], place))
    graph, losses = drawn(0)
    most, least = ranks(graph, losses, "max_loss"), ranks(graph, losses, "min_loss")
    assert losses[min(most, key=lambda p: most[p])] == max(losses.values())
    assert losses[min(least, key=lambda p: least[p])] == min(losses.values())
    assert ranks(graph, losses, "random") == ranks(graph, losses, "random")


def test_depth_edges_and_characters_are_bounds() -> None:
    graph = chain(9)
    free = {place: 0.0 for place in range(9)}
    assert grow(graph, 4, free, Bounds(1, 20, 10_000)) == [4, 3, 5]
    assert grow(graph, 4, free, Bounds(2, 20, 10_000)) == [4, 3, 2, 5, 6]
    assert grow(graph, 4, free, Bounds(8, 3, 10_000)) == [4, 3, 2, 1]
    assert grow(graph, 4, free, Bounds(8, 0, 10_000)) == [4]
    long = len(graph.statements[0].text)
    assert grow(graph, 4, free, Bounds(8, 20, 3 * long + 1)) == [4, 3, 2]
    assert grow(graph, 4, free, Bounds(8, 20, 1)) == [4]


def test_what_is_not_free_is_neither_taken_nor_passed_through() -> None:
    graph = chain(9)
    free = {place: 0.0 for place in range(9) if place != 6}
    assert sorted(grow(graph, 4, free, WIDE)) == [0, 1, 2, 3, 4, 5]
    found = pieces(graph, [f"d{i}" for i in range(9)], free, [[WIDE] * 9])
    assert 6 not in {place for piece in found[0].values() for place in piece}
    assert "d6" not in found[0]


def test_each_statement_is_in_one_piece_and_the_best_comes_first() -> None:
    for seed in range(20):
        graph, losses = drawn(seed)
        documents = [f"d{i}" for i in range(12)]
        rank = ranks(graph, losses, "max_loss")
        visits = pieces(graph, documents, rank, [[Bounds(2, 2, 1000)] * 12] * 3)
        taken = [place for grown in visits for piece in grown.values() for place in piece]
        assert len(taken) == len({*taken})
        assert {*taken} <= losses.keys()
        for grown in visits:
            assert all(document in graph.statements[piece[0]].documents for document, piece in grown.items())
        worst = max(losses, key=lambda place: losses[place])
        assert next(iter(visits[0].values()))[0] == worst
        left = rank.keys() - {*taken}
        assert not any(graph.statements[place].documents[0] not in visits[2] for place in left)
