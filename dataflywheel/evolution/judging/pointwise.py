"""Pointwise: a mark from 1 to 10 for one answer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Case, Judgement
from dataflywheel.evolution.judging.asking import AskingJudge, bill, reason, shown
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, together
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for

TASK = (
    "You mark an answer to a prompt from 1 to 10 for how well it serves the person who wrote the prompt. 1: useless or "
    "wrong; 4: partly right, with serious faults; 7: right, with small faults; 10: right, complete and to the point. "
    "Length and style are no merits in themselves."
)
GUIDED = "The reference is a correct answer and would get 10; an answer that contradicts it is wrong."
ASK = "Which mark from 1 to 10 does the answer get? Give it in `score`, as a whole number."


class Mark(Form):
    """What is asked for."""

    limit: ClassVar[int] = 48

    score: int = Field(ge=1, le=10)


class Pointwise(Instructed, AskingJudge):
    """A mark from 1 to 10 for each answer by itself; with a reference in the case, the judge sees it.

    Cheaper than pairs where there are many answers, and blind to small differences: expect many ties.
    """

    card: ClassVar[Card] = Card(
        title="Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
        authors="Zheng et al.",
        year=2023,
        paper="2306.05685",
        category="evolution",
        subcategory="judging",
        summary="A mark from 1 to 10 for each answer by itself.",
        needs=("endpoint",),
        cost="$$",
        checked="scripted marks, unreadable ones among them",
        pays="Many answers to each prompt, or answers with nothing to compare with, where one call each is all that "
        "can be paid.",
        fails="Marks crowd at a few values, so that close answers tie: compare by `pairwise`, or describe the levels "
        "by `rubric`.",
    )
    answered_in: ClassVar[type[Form] | None] = Mark

    version: ClassVar[int] = 2
    scale: ClassVar[tuple[float, float]] = (1.0, 10.0)

    max_tokens: int = 512
    """Longest answer of the judge."""

    instructions: Instructions = TASK
    """What the model is told to do."""

    def _judge(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        sampling = Sampling(max_tokens=self.max_tokens)
        questions = [
            question(
                together([self.instructions, *([GUIDED] if case.reference else [])]),
                shown(case, {"answer": a}),
                ASK,
                sampling,
            )
            for case in cases
            for a in case.answers
        ]
        answers = iter(ask_for(client, questions, Mark, alone=True))
        found = []
        for case in cases:
            own = [next(answers) for _ in case.answers]
            scores = tuple(float(a.value.score) if a.value else float("nan") for a in own)
            found.append(Judgement(case.id, scores, reason=reason(own), replies=bill(own)))
        return found
