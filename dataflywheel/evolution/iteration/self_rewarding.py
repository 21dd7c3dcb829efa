"""Self-rewarding: a model answers several times, judges its own answers, and prefers the best to the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Cost, FloatArray, PoolStatistics
from dataflywheel.evolution.iteration.own_answers import own_request
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.rewritten import exchange_of, rewritten, unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of, text_of

RUBRIC = (
    "You judge an answer to an instruction by five points that build on each other: it can earn a point only if it "
    "has earned all before. `relevant`: it is about what was asked and gives some of it. `substantial`: it covers "
    "most of what was asked. `useful`: it serves the person who asked, and its main part is right. `clear`: it is "
    "well ordered, complete and keeps to what was asked. `excellent`: an expert would change nothing, neither to add "
    "nor to leave out. Length is no merit. First write `justification`: in a few sentences what the answer does well "
    "and where it falls short. Then say true or false for each point."
)
ASK = "Which points does the answer earn? Write `justification`, and then true or false for each of the five points."
POINTS = ("relevant", "substantial", "useful", "clear", "excellent")

JUDGEMENT_TOKENS = 512


class Points(Form):
    """Why, and then the five points; an answer's score is how many it earns from the first on without a gap."""

    justification: str = words(1200)
    relevant: bool
    substantial: bool
    useful: bool
    clear: bool
    excellent: bool

    @property
    def score(self) -> int:
        return next((i for i, name in enumerate(POINTS) if not getattr(self, name)), len(POINTS))


class SelfRewarding(Instructed, AskingProposer):
    """For each prompt a pair: the best and the worst of the model's own answers by its own judgement.

    An additive rubric spreads scores where a plain mark would be 5 almost always. Each answer is judged several times
    and its score is the mean of what could be read; pairs of equal scores are dropped. Nothing here anchors the judge:
    watch `length_drift`. A recipe with rounds holds its scores against the select tier and stops where they part.

    The paper's model writes its prompts too: put `generate: {by: self_instruct}` before it, with that model.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Self-Rewarding Language Models",
        authors="Yuan et al.",
        year=2024,
        paper="2401.10020",
        category="evolution",
        subcategory="iteration",
        summary="The model answers several times, judges itself by an additive rubric; best against worst make a pair.",
        needs=("endpoint",),
        cost="$$$$",
        checked="a scripted model and judge: equal scores dropped, unreadable judgements counted apart and never "
        "scored, best above worst always; a judge that loves length shows in the drift",
        pays="A model strong enough to judge its own answers, prompts without labels, and a budget for candidates, "
        "each of them judged several times.",
        fails="Nothing anchors the judge: answers grow longer and gains saturate early; name another `judge`, or use "
        "`best_of_n` with a checker.",
    )
    answered_in: ClassVar[type[Form] | None] = Points
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "contamination")
    makes_pairs: ClassVar[bool] = True
    own_model: ClassVar[Literal["trained", "base"] | None] = "trained"

    model: ModelSpec
    """The model that answers and judges. A recipe that trains gives its student, as the best round so far left it; in
    the first round untrained, a built-in one trained on the pool."""
    judge: ModelSpec | None = None
    """Another model that judges: small ones cannot judge themselves."""
    candidates: int = Field(default=4, ge=2, le=64)
    """Answers to each prompt."""
    judgements: int = Field(default=3, ge=1, le=16)
    """Times that each answer is judged."""
    temperature: float = Field(default=0.7, gt=0, le=2)
    top_p: float = Field(default=0.9, gt=0, le=1)
    """Share of the probability from which answers are drawn."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""
    instructions: Instructions = RUBRIC
    """What the judge is told to do; the answer must earn the five points of the form."""

    def calls_a_seed(self) -> float:
        return float(self.candidates * (1 + self.judgements))

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Judgements at the judge's own price, where another model judges."""
        whole = super().estimate(pool)
        if self.judge is None:
            return whole
        its = self.model_copy(update={"model": self.judge, "judge": None}).estimate(pool)
        return replace(whole, usd=(whole.usd + self.judgements * its.usd) / (1 + self.judgements))

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        return self.propose_between(client, client_for(self.judge) if self.judge else client, demand)

    def propose_between(self, client: Asks, judge: Asks, demand: Demand) -> list[Proposal]:
        """`propose_with`, with a client of the judge."""
        courses = [_Course(row, unfit(row, self.max_chars, answered=False)) for row in demand.seeds]
        asked = [(c, turn) for c, turn in zip(courses, demand.turns, strict=True) if not c.why]
        draws = [(c, turn * self.candidates + k) for c, turn in asked for k in range(self.candidates)]
        requests = [own_request(c.row, self.sampling, sample) for c, sample in draws]
        for (course, _), reply in zip(draws, client.ask(requests) if requests else [], strict=True):
            course.take(reply.spoken())
        self._judge(judge, courses)
        return [self._pair(course) for course in courses]

    def _judge(self, judge: Asks, courses: Sequence[_Course]) -> None:
        """Every distinct answer of every prompt that has two or more, as often as asked for."""
        each = [(c, i) for c in courses if len(c.answers) > 1 for i in range(len(c.answers))]
        jobs = [(c, i, sample) for c, i in each for sample in range(self.judgements)]
        sampling = Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=JUDGEMENT_TOKENS)
        asked = [question(self.instructions, c.parts(i), ASK, sampling, sample) for c, i, sample in jobs]
        for (course, i, _), answer in zip(jobs, ask_for(judge, asked, Points), strict=True):
            course.replies += answer.replies
            course.scores.setdefault(i, []).append(float("nan") if answer.value is None else answer.value.score)

    def _pair(self, course: _Course) -> Proposal:
        row, replies = course.row, tuple(course.replies)
        lost = passing(replies)
        if course.why or lost:
            return without(course.why or lost, row, replies=replies)
        if len(course.answers) < 2:
            return without("no pair, fewer than two different answers", row, replies=replies)
        marks = np.array([course.scores[i] for i in range(len(course.answers))], dtype=np.float64)
        found = best_and_worst(marks)
        if found is None:
            return without("no pair, all answers that could be judged score the same", row, replies=replies)
        best, worst = (course.answers[i] for i in found)
        facts = {
            "score": float(np.nanmean(marks[found[0]])),
            "rejected_score": float(np.nanmean(marks[found[1]])),
            "unreadable": int(np.isnan(marks).sum()),
        }
        made = rewritten(row, self.name, best, rejected=worst)
        return Proposal((row["id"],), row=made, shown=(self.instructions,), facts=facts, replies=replies)


class _Course:
    """One prompt on its way: its different answers in the order of their draws, and the scores of each."""

    def __init__(self, row: Row, why: str) -> None:
        self.row, self.why = row, why
        self.answers: list[str] = []
        self.scores: dict[int, list[float]] = {}
        self.replies: list[Reply] = []

    def parts(self, i: int) -> dict[str, str]:
        """What the judge of answer i is shown."""
        return exchange_of(self.row).parts | {"answer": self.answers[i]}

    def take(self, reply: Reply) -> None:
        self.replies.append(reply)
        text = reply.text.strip()
        if reply.answered and text and not reply.calls and text not in self.answers:
            self.answers.append(text)


def best_and_worst(marks: FloatArray) -> tuple[int, int] | None:
    """Places of the highest and the lowest mean over `marks` (answers, judgements), the first drawn among equals.

    Judgements that are NaN do not count, nor answers without any other; None where the two means are equal.

    >>> best_and_worst(np.array([[3.0, np.nan], [np.nan, np.nan], [1.0, 2.0]])), best_and_worst(np.ones((3, 2)))
    ((0, 2), None)
    """
    read = np.isfinite(marks)
    judged = np.flatnonzero(read.any(axis=1))
    if not len(judged):
        return None
    means = np.where(read, marks, 0.0)[judged].sum(axis=1) / read[judged].sum(axis=1)
    if means.max() == means.min():
        return None
    return int(judged[means.argmax()]), int(judged[means.argmin()])


@dataclass(frozen=True)
class LengthDrift:
    """Mean characters of the better and the worse answers of pairs, and the first over the second."""

    chosen: float
    rejected: float

    @property
    def ratio(self) -> float:
        return self.chosen / self.rejected if self.rejected else float("nan")


def length_drift(rows: Sequence[Row]) -> LengthDrift:
    """How much longer the preferred answers of preference rows are; NaN without any pair."""
    pairs = [(len(part_of(r["messages"], "answer")), len(text_of(r["rejected"]))) for r in rows if r["rejected"]]
    chosen, rejected = np.mean(pairs, axis=0) if pairs else (float("nan"), float("nan"))
    return LengthDrift(float(chosen), float(rejected))
