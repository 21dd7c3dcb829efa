"""Grounded rules: questions that a document answers word for word, by the wording of its parts alone."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.asking import without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.synthesis.knowledge.question_rules import Found, questions_of
from dataflywheel.synthesis.knowledge.subject import subject_of

NO_QUESTION = "no question can be asked of the document"
ALL_ASKED = "all questions of the document were asked"
GIVEN = "the same answer was given before"


class GroundedRules(Proposer):
    """Each visit of a document asks the next of its questions: one of every section before a second of any.

    No answer is given twice, in whichever document it stands.
    """

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
        pays="Well-structured documentation, with definitions, parameters and conditions, and no model or budget: "
        "every answer stands in the document.",
        fails="Questions are of few forms, and of running prose many are gaps to fill in; for questions as people ask "
        "them `grounded_questions` with a model.",
        evidence="benchmarks/wheel.md, python_docs: a wheel of 200 rows, 40 of them written by it, was not shown to "
        "differ from as many rows of the pool at random: better by -0.023 bits per byte [-0.060, +0.014].",
    )
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "grounded")

    questions: int = Field(default=1, ge=1)
    """Questions asked at each visit of a document."""
    least_words: int = Field(default=5, ge=1)
    """Answers with fewer words are left out."""

    def propose(self, demand: Demand) -> list[Proposal]:
        given = {part_of(row["messages"], "answer") for row in demand.accepted}
        return [
            proposal
            for seed, turn in zip(demand.seeds, demand.turns, strict=True)
            for proposal in self._ask(seed, turn, given)
        ]

    def _ask(self, document: Row, turn: int, given: set[str]) -> list[Proposal]:
        """`given`: answers that there are; those of this visit are added."""
        text, prompt = part_of(document["messages"], "answer"), part_of(document["messages"], "prompt")
        found = _questions(text, subject_of(prompt), self.least_words)[turn * self.questions :][: self.questions]
        if not found:
            return [without(ALL_ASKED if turn else NO_QUESTION, document)]
        made = []
        for one in found:
            answer = text[slice(*one.span)]
            if answer in given:
                made.append(without(GIVEN, document))
                continue
            given.add(answer)
            row = child(self.name, document, one.question, answer)
            facts = {"span": list(one.span), "rule": one.rule}
            made.append(Proposal((document["id"],), row, source=text, facts=facts))
        return made


@lru_cache(maxsize=256)
def _questions(text: str, subject: str, least_words: int) -> tuple[Found, ...]:
    return tuple(questions_of(text, subject, least_words))
