"""Generate, verify, keep: several answers a question, of which only verified ones can become rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field

from dataflywheel.contracts import Card, Operator
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.asking import WORK, AskingProposer, failed, without
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.gates.executable_truth import ExecutableTruth
from dataflywheel.proposing.kinds import Check, Demand, Proposal
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.rows.text import answer_said, split_answer

CHECKABLE = ("gold", "program", "tests")
ENOUGH = "right, but enough for this question"


class GenerateVerifyKeep(AskingProposer):
    """Rejection sampling: each seed's question is answered `samples` times, and right answers are kept.

    What an answer is verified by comes with the seed: `gold`, `program` or `tests` in its `extra`, its label, or the
    final answer of its own solution. With the student's folder as `model`, round after round, this is expert iteration.
    """

    card: ClassVar[Card] = Card(
        title="STaR: Bootstrapping Reasoning With Reasoning",
        authors="Zelikman et al.",
        year=2022,
        paper="2203.14465",
        category="synthesis",
        subcategory="instruction",
        summary="Samples answers and keeps those that an exact comparison or a run of their code verified.",
        needs=("endpoint", "labels"),
        cost="$$",
        checked="recorded solutions of published models to gsm8k, right and wrong ones mixed: no wrong one passes",
        pays="Questions with known results, tests or programs, and a model that is right in some of its draws: wrong "
        "answers cost calls, and never a row.",
        fails="A right result by wrong steps passes, hard questions bring no row and easy ones crowd the set: raise "
        "`samples` or take a stronger model for what is left.",
        evidence="benchmarks/gates.md: none of 1,653 wrong solutions of models to gsm8k is taken for right, and none "
        "of 1,047 right ones refused; benchmarks/real_model.md: none of 12 answers of a 135M model passed.",
    )
    operator: ClassVar[Operator] = "answers"
    gates: ClassVar[tuple[str, ...]] = ("executable_truth",)

    samples: int = Field(default=4, ge=1, le=256)
    """Answers drawn for each question at each visit."""
    per_question: int = Field(default=1, ge=1)
    """Right answers kept for one question, all visits together."""
    keep: Literal["shortest", "first"] = "shortest"
    """Which of the right answers of a visit."""
    instructions: str = WORK
    """A system text that asks for a marked answer; empty for a student that was trained to give one."""

    thoughts: bool = False
    """Keep what the model thought before its answer, as the `reasoning` of the row's last turn."""

    def calls_a_seed(self) -> float:
        return float(self.samples)

    def verified_by(self, seed: Row) -> dict[str, str]:
        """The facts that answers to a seed are verified by; empty where there are none."""
        return checked_by(seed)

    def question_of(self, seed: Row) -> list[Message]:
        """The turns that are answered, and that the row will have before its answer."""
        return split_answer(seed["messages"])[0]

    def verify(self, proposal: Proposal) -> Check:
        """Whether an answer is right."""
        return ExecutableTruth().check_one(proposal)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        facts = [self.verified_by(seed) for seed in demand.seeds]
        asked = [i for i, found in enumerate(facts) if found]
        requests = [
            self._request(demand.seeds[i], demand.turns[i] * self.samples + number)
            for i in asked
            for number in range(self.samples)
        ]
        replies = iter(client.ask(requests) if requests else [])
        had = [sum(seed["id"] in row["parents"] for row in demand.accepted) for seed in demand.seeds]
        made: list[Proposal] = []
        for i, seed in enumerate(demand.seeds):
            if facts[i]:
                drawn = [next(replies).spoken() for _ in range(self.samples)]
                made += self._kept(seed, facts[i], drawn, self.per_question - had[i])
            else:
                made.append(without("nothing to verify by", seed))
        return made

    def _request(self, seed: Row, sample: int) -> Request:
        turns = asked_turns(self.question_of(seed))
        system = ({"role": "system", "content": self.instructions},) if self.instructions else ()
        return Request((*system, *turns), tools=seed["tools"], sampling=self.sampling, sample=sample)

    def _kept(self, seed: Row, facts: Mapping[str, Any], drawn: Sequence[Reply], room: int) -> list[Proposal]:
        """A proposal for every draw, in order: the right ones as far as there is room, and why the others are none."""
        made = [self._verified(seed, facts, reply) for reply in drawn]
        right = [i for i, proposal in enumerate(made) if proposal.row is not None]
        if self.keep == "shortest":
            right.sort(key=lambda i: (len(drawn[i].text.strip()), i))
        kept: set[str] = set()
        for i in right:
            row = made[i].row
            if row is None or row["id"] in kept or len(kept) >= room:
                again = row is not None and row["id"] in kept
                extra = without("right, but drawn twice" if again else ENOUGH, seed, replies=made[i].replies)
                made[i] = replace(extra, facts={"surplus": True})
            else:
                kept.add(row["id"])
        return made

    def _verified(self, seed: Row, facts: Mapping[str, Any], reply: Reply) -> Proposal:
        if not reply.answered:
            return failed(reply, seed)
        if reply.calls:
            return without("not verified, the answer calls tools", seed, replies=(reply,))
        before = self.question_of(seed)
        thought = (self.thoughts and reply.reasoning) or None
        row = make_row(
            [*before, message("assistant", reply.text.strip(), reasoning=thought)],
            tools=seed["tools"],
            source=seed["source"],
            tags=seed["tags"],
            extra=orjson.loads(seed["extra"] or "{}"),
            parents=[seed["id"]],
            made_by=self.name,
            round=seed["round"],
            media=seed["media"],
            cells=seed["cells"],
        )
        proposal = Proposal((seed["id"],), row, facts=facts, replies=(reply,))
        check = self.verify(proposal)
        return proposal if check.passed else without(check.reason, seed, replies=(reply,))


def checked_by(seed: Row) -> dict[str, str]:
    """What an answer to the seed's question is verified by; empty where nothing says."""
    extra = orjson.loads(seed["extra"] or "{}")
    found = {name: str(extra[name]) for name in CHECKABLE if extra.get(name) not in (None, "")}
    if not found and seed["label"]:
        found = {"gold": seed["label"]}
    if not found:
        try:
            found = {"gold": final_answer(answer_said(seed["messages"]))}
        except NoAnswerError:
            return {}
    return found
