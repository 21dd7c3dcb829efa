"""Rubric: five described levels for each criterion, one criterion at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import Card, Case, Judgement
from dataflywheel.evolution.judging.asking import AskingJudge, bill, reason, shown
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled, together
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for

TASK = "You grade an answer to a prompt on one criterion and on nothing else. The criterion: {asks} Its levels:"
GUIDED = "The reference is an answer of level 5."
ASK = "{asks} Give in `score` the level that fits best, a whole number from 1 to 5."


class Criterion(BaseModel):
    """One thing that answers are graded on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    asks: str
    """The question that the grade answers, in one sentence."""
    levels: tuple[str, str, str, str, str]
    """What an answer of level 1 is like, to level 5."""


SUBSTANCE = Criterion(
    name="substance",
    asks="Is what the answer says true, and does it do what the prompt asks?",
    levels=(
        "wrong, or about something else",
        "mostly wrong, or most of the task is missing",
        "right in parts, with an error or a gap that matters",
        "right, with small errors or gaps",
        "right and complete",
    ),
)
STYLE = Criterion(
    name="style",
    asks="Is the answer well written, whether or not it is true?",
    levels=(
        "cannot be read",
        "hard to follow",
        "can be followed, but clumsy or badly ordered",
        "clear, with small blemishes",
        "clear, well ordered, and no longer than needed",
    ),
)


class Grade(Form):
    """What is asked for."""

    limit: ClassVar[int] = 48

    score: int = Field(ge=1, le=5)


class Rubric(Instructed, AskingJudge):
    """Grades from 1 to 5 for each answer on each criterion; the score is their mean, the grades stand in `criteria`.

    By default substance and style are graded apart, so that a fluent wrong answer shows as what it is. An answer with
    an unreadable grade on any criterion has no score. With a reference in the case, the judge sees it as level 5.
    """

    card: ClassVar[Card] = Card(
        title="Prometheus: Inducing Fine-grained Evaluation Capability in Language Models",
        authors="Kim et al.",
        year=2023,
        paper="2310.08491",
        category="evolution",
        subcategory="judging",
        summary="Grades from 1 to 5 by described levels, one criterion at a time; substance and style apart.",
        needs=("endpoint",),
        cost="$$$",
        checked="scripted grades; a fluent wrong answer stands out by its criteria",
        pays="Answers that are fluent and may be wrong, and criteria that can be described level by level; one call a "
        "criterion.",
        fails="Criteria that are vague move together, and one unreadable grade costs the row its score: give a "
        "reference in the case, and keep to two or three criteria.",
    )
    answered_in: ClassVar[type[Form] | None] = Grade

    version: ClassVar[int] = 2
    scale: ClassVar[tuple[float, float]] = (1.0, 5.0)

    criteria: tuple[Criterion, ...] = Field(default=(SUBSTANCE, STYLE), min_length=1)
    """What is graded, each in a question of its own."""
    max_tokens: int = 512
    """Longest answer of the judge."""

    instructions: Instructions = TASK
    """What the model is told to do; `{asks}` is the criterion's question, and its levels follow."""

    def questions(self) -> int:
        return len(self.criteria)

    def _judge(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        asked = [(case, answer, criterion) for case in cases for answer in case.answers for criterion in self.criteria]
        answers = iter(ask_for(client, [self._ask(*one) for one in asked], Grade, alone=True))
        return [self._collect(case, [next(answers) for _ in case.answers for _ in self.criteria]) for case in cases]

    def _ask(self, case: Case, answer: str, criterion: Criterion) -> Request:
        levels = [f"{level}: {text}." for level, text in enumerate(criterion.levels, start=1)]
        guided = [GUIDED] if case.reference else []
        instructions = together([filled(self.instructions, asks=criterion.asks), *levels, *guided])
        ask, sampling = ASK.format(asks=criterion.asks), Sampling(max_tokens=self.max_tokens)
        return question(instructions, shown(case, {"answer": answer}), ask, sampling)

    def _collect(self, case: Case, answers: Sequence[Answer[Grade]]) -> Judgement:
        grades = [float(a.value.score) if a.value else float("nan") for a in answers]
        each = len(self.criteria)
        rows = [grades[i : i + each] for i in range(0, len(grades), each)]
        by_name = {c.name: tuple(row[k] for row in rows) for k, c in enumerate(self.criteria)}
        scores = tuple(sum(row) / each for row in rows)
        return Judgement(case.id, scores, reason=reason(answers), criteria=by_name, replies=bill(answers))
