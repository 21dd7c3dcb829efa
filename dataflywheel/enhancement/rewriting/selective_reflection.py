"""Selective Reflection-Tuning: a model rewrites instructions and answers, and the student says which it gains from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from dataflywheel.contracts import Card, FloatArray, PoolStatistics, UsageError
from dataflywheel.enhancement.rewriting.student_ratios import difficulty, reversed_difficulty
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.language.language_model import shared_model
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.announced import announced
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "You improve training data for an assistant. The material is an instruction and an answer to it. Look at the "
    "instruction first: is it clear, specific and worth asking, and how much thought and knowledge does it take? Then "
    "write a better instruction of the same subject and aim, in its language, and the best answer to it. Keep every "
    "number, name, unit and piece of code that it holds."
)
ANSWERING = (
    "You improve training data for an assistant. The material is an instruction and an answer to it. Look at the "
    "answer first: is it right, helpful, relevant, and as detailed as the instruction wants it? Then write the best "
    "answer to the instruction, in its language. Keep every number, name, unit and piece of code that is right; longer "
    "is not better."
)
ASK = "Write your `analysis` of the instruction, the better `instruction`, and the whole `answer` to it."
ASK_ANSWER = "Write your `analysis` of the answer, and then the whole better `answer`."
NO_GAIN = "the student gains nothing"
READINGS = 8
"""Forward passes of the student over a row: two for each ratio, of two versions, in two directions."""

Outcome = Literal["both", "instruction", "answer", "original"]
OUTCOMES: tuple[Outcome, ...] = ("both", "instruction", "answer", "original")


class NewAnswer(Form):
    """A better answer."""

    analysis: str = words(1500)
    answer: str = Field(min_length=1)


class NewExchange(Form):
    """A better instruction with an answer."""

    analysis: str = words(1500)
    instruction: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass
class _Course:
    """One row on its way: as it stands, and what was asked and measured for it."""

    row: Row
    turn: int
    why: str
    """Why it is left as it is from the beginning."""
    stands: Row = field(init=False)
    candidate: Row | None = None
    took: list[str] = field(default_factory=list)
    """What was taken so far: `instruction`, `answer`."""
    lost: list[str] = field(default_factory=list)
    """Why the others were not, or could not be read."""
    measured: dict[str, list[float]] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stands = self.row

    @property
    def outcome(self) -> Outcome:
        last: Outcome = "instruction" if "instruction" in self.took else "answer"
        return "both" if len(self.took) == 2 else last if self.took else "original"


class SelectiveReflection(Instructed, Proposer):
    """Two calls a row: a better instruction with an answer to it, then a better answer to what stands by then.

    The first is taken where the student's instruction-following difficulty (perplexity of the answer given its turns
    before over that of the answer alone) rises and stays below 1; the second where the reversed ratio (perplexity of
    the instruction given the answer over that of the instruction alone) falls, and is below 1. So a row ends with both,
    with one of them, or as it was. What cannot be read or measured changes nothing. Instructions of preference pairs
    stay, since the rejected answer belongs to them.

    The published program throws rows away whose answer was not rewritten; here all stay. The wording of the questions
    is ours, and that of the reversed one too.
    """

    card: ClassVar[Card] = Card(
        title="Selective Reflection-Tuning: Student-Selected Data Recycling for LLM Instruction-Tuning",
        authors="Li et al.",
        year=2024,
        paper="2402.10110",
        category="enhancement",
        subcategory="rewriting",
        summary="A teacher rewrites instruction and answer; the student's own likelihoods accept or refuse each.",
        needs=("endpoint", "model"),
        cost="$$",
        checked="a small model with a copy skill in both directions, and a rewriter that improves half of the rows and "
        "damages the others",
        pays="Where a teacher is at hand whose rewriting cannot be trusted, and no judge: the student decides.",
        fails="A student that knows too little takes noise for gain; train it first, or name a pretrained one.",
        evidence="Here, of a rewriter that damages half of what it touches, a small model took 40 right answers and 1 "
        "wrong one, 20 good instructions and 1 bad one. What training on it is worth was not measured here.",
    )
    version: ClassVar[int] = 3
    answered_in: ClassVar[type[Form] | None] = NewExchange
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    own_models: ClassVar[dict[str, Literal["trained", "base"]]] = {"student": "trained"}
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "refusal",
        "prompt_leak",
        {"meaning": {"additions": True}},
        "contamination",
    )

    model: ModelSpec
    """The teacher: it rewrites."""
    student: ModelSpec | None = None
    """Whose likelihoods decide: a recipe gives its student, as it was trained last."""
    max_length: int = Field(default=1024, ge=16)
    """Tokens of a conversation that the student reads, at most; a longer one is not measured, and stays as it is."""
    max_tokens: int = Field(default=2048, ge=16)
    """Tokens of one reply, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do about instructions."""
    answering: Instructions = ANSWERING
    """What it is told to do about answers."""

    @field_validator("student")
    @classmethod
    def _has_weights(cls, given: ModelSpec | None) -> ModelSpec | None:
        if given is not None and given.endpoint is not None:
            raise ValueError("`student` is a model with weights here, such as `{hf: FOLDER}`: its losses are read")
        return given

    def calls_a_seed(self) -> float:
        return 2.0

    def operations(self, pool: PoolStatistics) -> float:
        return 2.0 * READINGS * pool.tokens

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        courses = [
            _Course(row, turn, unfit(row, self.max_chars)) for row, turn in zip(demand.seeds, demand.turns, strict=True)
        ]
        open_ = [one for one in courses if not one.why]
        self._reflect(client, [one for one in open_ if not one.row["rejected"]], "instruction")
        self._reflect(client, open_, "answer")
        return [self._proposal(one) for one in courses]

    def _reflect(self, client: Asks, courses: Sequence[_Course], on: Literal["instruction", "answer"]) -> None:
        """Ask for a better version of each, measure both, and let it stand where the student gains."""
        first = on == "instruction"
        told, ask = (self.instructions, ASK) if first else (self.answering, ASK_ANSWER)
        form: type[NewExchange] | type[NewAnswer] = NewExchange if first else NewAnswer
        sampling = Sampling(max_tokens=self.max_tokens)
        asked = [question(told, exchange_of(one.stands).parts, ask, sampling, one.turn) for one in courses]
        answers: list[Answer[Any]] = ask_for(client, asked, form)
        for one, answer in zip(courses, answers, strict=True):
            one.replies += answer.replies
            one.candidate = None
            if answer.value is None:
                one.lost.append(failure(answer))
            else:
                one.candidate = self._candidate(one, getattr(answer.value, "instruction", None), answer.value.answer)
        read = [one for one in courses if one.candidate is not None]
        versions = [row for one in read for row in (one.stands, one.candidate) if row is not None]
        values = self.measured(versions, on).reshape(-1, 2) if read else np.zeros((0, 2))
        for one, (before, after) in zip(read, values.tolist(), strict=True):
            self._decide(one, on, before, after)

    def _candidate(self, one: _Course, instruction: str | None, answer: str) -> Row | None:
        """The row as it would stand, or None, with the reason noted."""
        held = exchange_of(one.stands)
        instruction = instruction.strip() if instruction is not None else held.instruction
        why = "" if answer.strip() and instruction else "malformed: an empty revision"
        same = (instruction, answer.strip()) == (held.instruction.strip(), held.answer.strip())
        why = why or ("nothing to revise" if same else announced(answer.strip(), held.answer))
        one.lost += [why] if why else []
        return None if why else rewritten(one.row, self.name, answer.strip(), instruction)

    @staticmethod
    def _decide(one: _Course, on: Literal["instruction", "answer"], before: float, after: float) -> None:
        better = before < after < 1 if on == "instruction" else after < min(before, 1)
        name = "IFD" if on == "instruction" else "reversed IFD"
        if np.isnan([before, after]).any():
            one.lost.append(f"{name} not measured")
            return
        one.measured[name] = [before, after]
        if better and one.candidate is not None:
            one.stands = one.candidate
            one.took.append(on)
        else:
            one.lost.append(f"{NO_GAIN}: {name} {before:.3g} to {after:.3g}")

    def measured(self, rows: Sequence[Row], on: Literal["instruction", "answer"]) -> FloatArray:
        """The student's ratio of each row, shape (n,), NaN where there is none: of answers the reversed one."""
        if self.student is None:
            raise UsageError(f"{self.name}: name a model as `student`; a recipe gives its own")
        ratio = difficulty if on == "instruction" else reversed_difficulty
        return ratio(shared_model(self.student), rows, self.max_length)

    def _proposal(self, one: _Course) -> Proposal:
        why = one.why or passing(one.replies)  # what another run may change must not be decided by this one
        if why or one.outcome == "original":
            return unchanged(one.row, why or one.lost[-1], one.replies)
        facts = {"outcome": one.outcome, "ratios": one.measured}
        return replaced(one.row, one.stands, one.replies, (str(self.instructions), str(self.answering)), facts)

    def rehearsed(self) -> Proposer:
        return _Rehearsed(**{name: getattr(self, name) for name in type(self).model_fields})

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many rows were rewritten in both parts, in one, or stay as they were."""
        outcomes = Counter(str(one.facts.get("outcome")) if not why else "original" for one, why in came)
        return {"outcomes": {name: outcomes[name] for name in OUTCOMES}}


class _Rehearsed(SelectiveReflection):
    """One whose student gains from everything."""

    def measured(self, rows: Sequence[Row], on: Literal["instruction", "answer"]) -> FloatArray:
        return np.tile([0.5, 0.6] if on == "instruction" else [0.5, 0.4], len(rows) // 2)
