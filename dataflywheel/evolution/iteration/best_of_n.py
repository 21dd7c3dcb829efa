"""Best of n: a model answers each prompt several times; the best answer against a worse one makes a preference pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from dataflywheel.contracts import Card, Cost, Judge, Mark, Named, PoolStatistics, Reward, UsageError, method_specs
from dataflywheel.evolution.bridges.known_judge import require_able
from dataflywheel.evolution.bridges.of_judge import OfJudge
from dataflywheel.evolution.bridges.reward_of import reward_kind, reward_of
from dataflywheel.evolution.iteration.own_answers import own_request
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.marking import marks_of
from dataflywheel.proposing.rewritten import rewritten, unfit
from dataflywheel.rows.schema import Row

FEW = "no pair, fewer than two different answers"
UNJUDGED = "no pair, fewer than two answers could be judged"
LEVEL = "no pair, all answers that could be judged score the same"


class BestOfN(AskingProposer):
    """For each prompt a pair of the model's own answers: the one that scores highest, and one that scores less.

    What scores is a judge of single answers (`rubric`, `pointwise`), or anything that is a reward: `executable_truth`
    and `final_answer` give pairs of a right and a wrong answer. Answers that could not be judged take no part, equal
    scores make no pair. UltraFeedback's pairs, as they are learned by DPO, are of the best and a random one of the
    others: `rejected: random`. The step `prefer` learns them.
    """

    card: ClassVar[Card] = Card(
        title="UltraFeedback: Boosting Language Models with Scaled AI Feedback",
        authors="Cui et al.",
        year=2023,
        paper="2310.01377",
        category="evolution",
        subcategory="iteration",
        summary="Several answers to each prompt are judged one by one; the best and a worse one make a pair.",
        needs=("endpoint",),
        cost="$$$",
        checked="scripted answers and scores: the chosen one scores more always; ties and lost verdicts give no pair",
        pays="A student whose draws differ in worth, and a checker or judge that can tell; DPO follows, and prompts "
        "need no answers.",
        fails="Where all draws score alike no pair is made, and a judge that loves length makes pairs of long against "
        "short: score by `final_answer` where results are known.",
        evidence="benchmarks/real_model.md: a 135M model judged its own draws alike in 2 of 4 prompts, which gave no "
        "pair. What the pairs teach was not measured here.",
    )
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "contamination")
    makes_pairs: ClassVar[bool] = True
    own_model: ClassVar[Literal["trained", "base"] | None] = "trained"

    model: ModelSpec
    """The model that answers. A recipe that trains gives its student, as the best round so far left it; in the first
    round untrained, a built-in one trained on the pool."""
    by: Named = {"rubric": {}}
    """What scores each answer: a judge, a gate, a metric or a reward, with its parameters."""
    judge: ModelSpec | None = None
    """The model that judges, where a judge scores; the recipe's teacher where none is named."""
    candidates: int = Field(default=4, ge=2, le=64)
    """Answers to each prompt."""
    rejected: Literal["worst", "random"] = "worst"
    """Which of the answers that score less than the best is the worse one of the pair."""
    temperature: float = Field(default=1.0, gt=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    """The share of likelihood that answers are drawn from."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left out."""
    _reward: Reward = PrivateAttr()

    @model_validator(mode="after")
    def _made(self) -> Self:
        try:
            self._reward = reward_of(self.by, self.judge or self.model)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self

    @classmethod
    def asks_judge(cls, given: Mapping[str, Any]) -> bool:
        """Whether, with these parameters, it asks a model that judges."""
        kind = reward_kind(method_specs(given.get("by") or "rubric")[0][0])
        return issubclass(kind, Judge) or bool(getattr(kind, "asks", False))

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens)

    def calls_a_seed(self) -> float:
        return float(self.candidates)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """The answers, and the judgement of each at the judge's own price."""
        n = self.candidates
        return super().estimate(pool) + self._reward.estimate(
            PoolStatistics(n * pool.rows, n * pool.chars, n * pool.tokens)
        )

    def propose(self, demand: Demand) -> list[Proposal]:
        if isinstance(self._reward, OfJudge):
            require_able(self._reward.judge)
        return super().propose(demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        courses = [_Course(row, unfit(row, self.max_chars, answered=False)) for row in demand.seeds]
        asked = [(course, turn) for course, turn in zip(courses, demand.turns, strict=True) if not course.why]
        draws = [(course, turn * self.candidates + k) for course, turn in asked for k in range(self.candidates)]
        requests = [own_request(course.row, self.sampling, sample) for course, sample in draws]
        for (course, _), reply in zip(draws, client.ask(requests) if requests else [], strict=True):
            course.take(reply.spoken())
        each = [(course, answer) for course in courses if len(course.answers) > 1 for answer in course.answers]
        marks = marks_of(self._reward, [answer for _, answer in each], [course.row for course, _ in each])
        for (course, _), mark in zip(each, marks, strict=True):
            course.marks.append(mark)
            course.replies += mark.replies
        return [self._pair(course, demand.rng) for course in courses]

    def _pair(self, course: _Course, rng: np.random.Generator) -> Proposal:
        row, replies, marks = course.row, tuple(course.replies), course.marks
        lost = passing(replies)
        if course.why or lost:
            return without(course.why or lost, row, replies=replies)
        if len(course.answers) < 2:
            return without(FEW, row, replies=replies)
        scores = [mark.value for mark in marks]
        found = best_and_other(scores, self.rejected, rng)
        if found is None:
            known = sum(score is not None for score in scores)
            why = LEVEL if known > 1 else f"{UNJUDGED}: {', '.join(sorted({m.note for m in marks if m.value is None}))}"
            return without(why, row, replies=replies)
        best, other = found
        facts = {"score": scores[best], "rejected_score": scores[other], "unreadable": scores.count(None)}
        made = rewritten(row, self.name, course.answers[best], rejected=course.answers[other])
        return Proposal((row["id"],), row=made, facts=facts, replies=replies)


@dataclass
class _Course:
    """One prompt on its way: why it cannot be asked, its different answers in the order of their draws, their marks."""

    row: Row
    why: str
    answers: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def take(self, reply: Reply) -> None:
        self.replies.append(reply)
        text = reply.text.strip()
        if reply.answered and text and not reply.calls and text not in self.answers:
            self.answers.append(text)


def best_and_other(
    scores: Sequence[float | None], rejected: Literal["worst", "random"], rng: np.random.Generator
) -> tuple[int, int] | None:
    """Places of the highest score and of the lowest, or of a random one below the highest; the first among equals.

    What has no score takes no part; None where fewer than two scores differ.

    >>> best_and_other([2.0, None, 3.0, 1.0, 1.0], "worst", np.random.default_rng(0))
    (2, 3)
    >>> best_and_other([2.0, 2.0, None], "worst", np.random.default_rng(0)) is None
    True
    """
    known = {place: score for place, score in enumerate(scores) if score is not None}
    best = max(known, key=lambda place: known[place], default=None)
    below = [place for place, score in known.items() if best is not None and score < known[best]]
    if best is None or not below:
        return None
    other = min(below, key=lambda place: known[place]) if rejected == "worst" else below[int(rng.integers(len(below)))]
    return best, other
