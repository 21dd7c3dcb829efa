"""CLEAR's correction: the model that was tuned on what is left mends answers that a judge surely finds worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer

COMPARE = (
    "The material is an instruction and two answers to it. In `analysis` check each answer for what is wrong, missing "
    "or against the instruction; length and style do not count. Then say in `better` which answer is the more correct "
    "one."
)
ASK = "Which answer is the more correct one? Write `analysis`, and then `better`: 1, 2, or equal."
JUDGE_TOKENS, ANSWER_TOKENS = 300, 300
"""Of one call, beside the row's own text: for the estimate."""


CONFIDENCE = "clear_confidence.confidence"


class Preferred(Form):
    """Which of two answers is better, said after a look at both."""

    analysis: str = words(1500)
    better: Literal["1", "2", "equal"]


class ClearCorrection(Instructed, Proposer):
    """Replaces a row's answer by one of `model`, where `judge` prefers that with a confidence of `sure` or more.

    The second half of CLEAR, whose first is the signal `clear_confidence`: drop what the model does not believe, train,
    and let the trained model mend what a judge surely finds worse than its own answer; then train on the mended rows.
    `model` is the student as it was trained last, unless one is named. Confidence is the share of `votes` for the new
    answer, drawn at temperature 1, each answer as often first as second; equal counts against it. With `below` only
    rows in doubt are asked about, and an answer is taken only where the model is surer of it than it was of the row's.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Automated Data Curation for Robust Language Model Fine-Tuning",
        authors="Chen and Mueller",
        year=2024,
        paper="2403.12776",
        category="enhancement",
        subcategory="rewriting",
        summary="The tuned model's own answers, in place of those that a judge surely finds worse.",
        needs=("endpoint",),
        cost="$$",
        checked="planted wrong answers, a writer and a judge that are right with known probabilities: no seed of ten "
        "lowers the share of right answers",
        pays="Pools with wrong answers, no stronger model at hand, and a student that was tuned on the cleaner half: "
        "six votes a row, with `below` for rows in doubt alone.",
        fails="Where the student errs as the data do, writer and judge agree on the same fault, and the default judge "
        "is the student itself: name a stronger `judge`, or use `revision` by one.",
        evidence="The paper reports of CLEAR as a whole that half the data beats all of the noisy data; "
        "benchmarks/real_model.md: a 135M model surely preferred its own answer in 1 of 4 rows. What training on the "
        "mended rows is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Preferred
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    own_model: ClassVar[Literal["trained", "base"] | None] = "trained"
    gates: ClassVar[tuple[NamedGate, ...]] = ("refusal", {"format_and_length": {"ratio": None}}, "contamination")

    model: ModelSpec
    """The model that answers."""
    judge: ModelSpec | None = None
    """Who compares; None: `model` itself, as in the paper."""
    votes: int = Field(default=6, ge=2, le=32, multiple_of=2)
    """Comparisons of one row."""
    sure: float = Field(default=0.8, gt=0.5, le=1)
    """Least share of the votes that are for the new answer."""
    below: float | None = Field(default=None, gt=0, le=1)
    """Of the measured `clear_confidence`: rows with as much or more stay as they are, and so do those that were not
    measured. Null: it is not measured, and all rows are asked about."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one answer, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    instructions: Instructions = COMPARE
    """What the judge is told to do."""

    def estimate(self, pool: PoolStatistics) -> Cost:
        """One answer and `votes` comparisons a row, each at its model's price."""
        calls, parts = [pool.rows, self.votes * pool.rows], [self.model, self.judge or self.model]
        read = [pool.tokens, self.votes * (2 * pool.tokens + JUDGE_TOKENS * pool.rows)]
        written = [pool.rows * min(self.max_tokens, ANSWER_TOKENS), calls[1] * 100]
        usd = sum(
            (r * spec.usd_per_mtok.input + w * spec.usd_per_mtok.output) / 1e6
            for r, w, spec in zip(read, written, parts, strict=True)
            if spec.usd_per_mtok
        )
        return Cost(calls=sum(calls), tokens=sum(read) + sum(written), usd=usd)

    def needs(self) -> tuple[str, ...]:
        return () if self.below is None else (CONFIDENCE,)

    def propose(self, demand: Demand) -> list[Proposal]:
        writer = client_for(self.model)
        return self.propose_between(writer, client_for(self.judge) if self.judge else writer, demand)

    def propose_between(self, writer: Asks, judge: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        believed = self._believed(demand)
        why = [unfit(row, self.max_chars) or self._sure(held) for row, held in zip(demand.seeds, believed, strict=True)]
        asked = [i for i, bad in enumerate(why) if not bad]
        answers = writer.ask([self._request(demand.seeds[i], demand.turns[i]) for i in asked]) if asked else []
        new = {i: reply.spoken() for i, reply in zip(asked, answers, strict=True)}
        for i, reply in new.items():
            why[i] = _unusable(demand.seeds[i], reply)
        open_ = [i for i in asked if not why[i]]
        votes = [
            self._vote(demand.seeds[i], new[i].text.strip(), number) for i in open_ for number in range(self.votes)
        ]
        said = iter(ask_for(judge, votes, Preferred))
        made = []
        for i, row in enumerate(demand.seeds):
            if why[i]:
                made.append(unchanged(row, why[i], (new[i],) if i in new else ()))
            else:
                made.append(self._proposal(row, new[i], [next(said) for _ in range(self.votes)], believed[i]))
        return made

    def _believed(self, demand: Demand) -> list[float]:
        """How far the model was found to believe each answer; NaN where that was not measured, 0 where nobody asked."""
        if self.below is None or demand.columns is None:
            return [0.0] * len(demand.seeds)
        known = demand.columns.ok(CONFIDENCE)
        return [
            float(value) if able else math.nan for value, able in zip(demand.columns[CONFIDENCE], known, strict=True)
        ]

    def _sure(self, believed: float) -> str:
        """Why a row is not in doubt, or ""."""
        if math.isnan(believed):
            return "not rewritten, the confidence in its answer was not measured"
        if self.below is not None and believed >= self.below:
            return "not rewritten, the model believes its answer"
        return ""

    def _request(self, row: Row, turn: int) -> Request:
        """The prompt as any user would send it."""
        turns = asked_turns(split_answer(row["messages"])[0])
        return Request(turns, tools=row["tools"], sampling=Sampling(max_tokens=self.max_tokens), sample=turn)

    def _vote(self, row: Row, new: str, number: int) -> Request:
        """The row's answer is the first in votes of an even number."""
        parts = exchange_of(row).parts
        old = parts.pop("answer")
        both = (old, new) if number % 2 == 0 else (new, old)
        shown = {**parts, "answer 1": both[0], "answer 2": both[1]}
        return question(self.instructions, shown, ASK, Sampling(1.0, 1.0, self.max_tokens), sample=number // 2)

    def _proposal(self, row: Row, new: Reply, votes: Sequence[Answer[Preferred]], believed: float) -> Proposal:
        replies = (new, *(reply for vote in votes for reply in vote.replies))
        lost = passing(replies)
        if lost:  # another run may hear more votes
            return unchanged(row, lost, replies)
        heard = [(number, vote.value.better) for number, vote in enumerate(votes) if vote.value is not None]
        if 2 * len(heard) < len(votes):
            return unchanged(row, next(failure(vote) for vote in votes if vote.value is None), replies)
        confidence = sum(better == ("2" if number % 2 == 0 else "1") for number, better in heard) / len(heard)
        if confidence < self.sure:
            return unchanged(row, "the model's own answer is not surely better", replies)
        if confidence <= believed:
            return unchanged(row, "the model is no surer of its own answer than of the row's", replies)
        made = rewritten(row, self.name, new.text.strip())
        return replaced(row, made, replies, (self.instructions,), facts={"confidence": confidence})


def _unusable(row: Row, reply: Reply) -> str:
    """Why a new answer is not compared, or ""."""
    if not reply.answered:
        return failure(reply)
    if reply.calls or not reply.text.strip():
        return "malformed: the new answer calls tools, or is empty"
    same = " ".join(reply.text.split()) == " ".join(exchange_of(row).answer.split())
    return "the model's own answer is the row's" if same else ""
