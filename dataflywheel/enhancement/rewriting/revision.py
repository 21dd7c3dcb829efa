"""Revision: a model rewrites instruction and answer as an expert editor would."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, revised, unchanged, unfit

INSTRUCTIONS = (
    "You edit training data for an assistant. The material is an instruction and an answer to it. Revise both as an "
    "expert would: make the instruction clear and answerable, and the answer correct, specific, detailed and well "
    "ordered, step by step where that helps, without mistakes of language. Keep the meaning, the language in which "
    "each is written, and every number, name, unit and piece of code that is right. Leave as it is what needs no "
    "revision; longer is not better."
)
ASK = "Write the revised `instruction`, and then the revised `answer`, each whole."


class Revised(Form):
    """Both texts after revision."""

    instruction: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Revision(Instructed, Proposer):
    """Proposes the revised instruction and answer of a row's last exchange; earlier turns stay.

    A revision that changes nothing, or that any gate turns away, leaves the row as it was.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="CoachLM: Automatic Instruction Revisions Improve the Data Quality in LLM Instruction Tuning",
        authors="Liu et al.",
        year=2023,
        paper="2311.13246",
        category="enhancement",
        subcategory="rewriting",
        summary="A model revises instruction and answer as an expert editor would, in place of discarding the row.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted reviser with planted failures: every row is revised, unchanged or fails with its reason",
        pays="Pools too small to discard from, with thin, clumsy or half-wrong answers and a model that knows the "
        "subject better than their writers.",
        fails="Revisions grow longer and take on the model's voice, and a model no better than the writer brings "
        "errors in: set `revise: answer`, and compare at equal tokens.",
        evidence="benchmarks/gates.md: its gate `meaning`, with additions, turns away 0.063 of 1,530 revisions by "
        "experts; benchmarks/real_model.md: a 135M model's passed in 2 of 4 rows. What training on them is worth was "
        "not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Revised
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "refusal",
        "prompt_leak",
        {"meaning": {"additions": True}},
        "contamination",
    )

    model: ModelSpec
    """The model that revises."""
    revise: Literal["both", "answer"] = "both"
    """`answer` leaves instructions as they are."""
    max_tokens: int = Field(default=2048, ge=16)
    """Tokens of one reply, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        why = [unfit(row, self.max_chars) for row in demand.seeds]
        sampling = Sampling(max_tokens=self.max_tokens)
        questions = [
            question(self.instructions, exchange_of(row).parts, ASK, sampling, turn)
            for row, turn, bad in zip(demand.seeds, demand.turns, why, strict=True)
            if not bad
        ]
        answers = iter(ask_for(client, questions, Revised))
        proposals = []
        for row, bad in zip(demand.seeds, why, strict=True):
            if bad:
                proposals.append(unchanged(row, bad))
                continue
            answer = next(answers)
            if answer.value is None:
                proposals.append(unchanged(row, failure(answer), answer.replies))
            else:
                instruction = answer.value.instruction if self.revise == "both" else None
                shown = (self.instructions,)
                proposals.append(revised(row, self.name, instruction, answer.value.answer, answer.replies, shown=shown))
        return proposals
