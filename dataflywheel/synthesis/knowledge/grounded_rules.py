"""Grounded rules: questions that a document answers word for word, by the wording of its parts alone."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.synthesis.knowledge.question_rules import Found, questions_of
from dataflywheel.synthesis.knowledge.subject import subject_of
from dataflywheel.synthesis.lineage import child


class GroundedRules(Proposer):
    """Each visit of a document asks the next of its questions: one of every section before a second of any."""

    card: ClassVar[Card] = Card(
        title="Question-answer pairs from documents by rules over definitions, parameters, conditions, lists and gaps",
        authors="dataflywheel",
        year=2025,
        paper="",
        category="synthesis",
        subcategory="knowledge",
        summary="Questions whose answers stand word for word in a document, without any model.",
        cost="¢",
        checked="planted sections; every span of thousands of documentation pages is the answer, letter for letter",
    )
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "grounded", "contamination", "novelty")

    questions: int = Field(default=1, ge=1)
    """Questions asked at each visit of a document."""
    least_words: int = Field(default=5, ge=1)
    """Answers with fewer words are left out."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return [p for seed, turn in zip(demand.seeds, demand.turns, strict=True) for p in self._ask(seed, turn)]

    def _ask(self, document: Row, turn: int) -> list[Proposal]:
        text, prompt = part_of(document["messages"], "answer"), part_of(document["messages"], "prompt")
        found = _questions(text, subject_of(prompt), self.least_words)[turn * self.questions :][: self.questions]
        if not found:
            why = "all questions of the document were asked" if turn else "no question can be asked of the document"
            return [Proposal((document["id"],), failure=why)]
        return [
            Proposal(
                (document["id"],),
                child(self.name, document, one.question, text[slice(*one.span)]),
                source=text,
                facts={"span": list(one.span), "rule": one.rule},
            )
            for one in found
        ]


@lru_cache(maxsize=256)
def _questions(text: str, subject: str, least_words: int) -> tuple[Found, ...]:
    return tuple(questions_of(text, subject, least_words))
