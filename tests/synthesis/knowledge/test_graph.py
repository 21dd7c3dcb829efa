"""Statements of documents, joined by what they are about."""

from __future__ import annotations

from dataflywheel.synthesis.knowledge.graph import Graph, Statement, bare


def test_statements_are_joined_by_names_in_any_capitals() -> None:
    graph = Graph(
        [
            Statement("Ann built the Mill.", "Ann", "the Mill", ("a",)),
            Statement("The mill stands in Ulm.", "The mill", "Ulm", ("b",)),
            Statement("Ulm is old.", "ULM", "", ("b",)),
            Statement("Rain is wet.", "Rain", "", ("c",)),
        ]
    )
    assert [graph.beside(place) for place in range(4)] == [[1], [0, 2], [1], []]
    assert graph.of("b") == [1, 2]
    assert graph.statements[0].things == ("ann", "the mill")


def test_the_same_statement_of_two_documents_is_one() -> None:
    one = Statement("Ulm is old.", "Ulm", "", ("a",), "Ulm is new.")
    graph = Graph([one, Statement("ulm is  OLD", "Ulm", "", ("b",)), one])
    assert [(s.text, s.documents, s.denial) for s in graph.statements] == [("Ulm is old.", ("a", "b"), "Ulm is new.")]
    assert graph.of("a") == graph.of("b") == [0]
    assert Graph([]).statements == []
    assert bare("Wer?\u3002") == "wer"
