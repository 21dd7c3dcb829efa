"""MetaMath: questions with known answers are rephrased, and turned round by FOBAR and self-verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr, field_validator

from dataflywheel.contracts import Card, Operator
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import WORK, AskingProposer, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.gates.executable_truth import ExecutableTruth
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer
from dataflywheel.synthesis.instruction.known_answers import NO_GOLD, gold_of, worked_of
from dataflywheel.synthesis.instruction.unknowns import NUMBERS, Taken, fault_of, places_of, taken, values_of

Kind = Literal["rephrase", "fobar", "self_verification"]

REPHRASE = (
    "The material is a question. Ask the same in other words: another order, other sentences, the same language. Every "
    "number, name and unit stays, nothing is added, and the answer is the same."
)
STATE = (
    "The material is a question in which a letter stands for a number, and the answer to it. Write both as one account "
    "that states what the question tells and what its answer is, without asking anything and without working anything "
    "out. Keep the letter, every number and the language."
)
ASK_REPHRASE = "Write the rephrased `question` alone; do not answer it."
ASK_STATE = "Write question and answer as one `statement`, with the letter in its place."
FOBAR_TAIL = "The answer to this question is known: {answer}. What is the value of {unknown}?"
STATED_TAIL = "What is the value of {unknown}?"
CALLS: Mapping[str, int] = {"rephrase": 2, "fobar": 1, "self_verification": 2}
NO_NUMBER = "no number that could be taken out"
SAME = "nothing was rephrased"


class Rephrased(Form):
    """The question in other words."""

    question: str = Field(min_length=1)


class Stated(Form):
    """The question and its answer as one account."""

    statement: str = Field(min_length=1)


@dataclass
class _Try:
    """One question made of a seed."""

    seed: Row
    kind: str
    sample: int
    asked: str
    """The seed's question."""
    gold: str
    """Its known answer."""
    taken: Taken | None = None
    prompt: str = ""
    why: str = ""
    replies: list[Reply] = field(default_factory=list)

    @property
    def right(self) -> str:
        """What the answer to the new question must be."""
        return self.gold if self.taken is None else self.taken.value


class MetaMath(Instructed, AskingProposer):
    """Each visit of a question makes another of it, by one of the `kinds` in turn, and solves it: what is not solved
    to the known answer, or to the number that was taken out, fails.

    - `rephrase`: in other words, with the same numbers; solved to the known answer.
    - `fobar`: a letter in the place of a number, the answer told, and the letter asked for.
    - `self_verification`: the same, with question and answer written as one statement by the model.

    The known answer is `gold` in a row's `extra`, its label, or the marked final answer of its solution. Where a row
    has a worked solution, or an `equation` beside it, only numbers that stand there are taken out. The paper's answer
    augmentation is `generate_verify_keep`. FOBAR's last sentence is English unless `tail` says it otherwise.
    """

    name: ClassVar[str] = "metamath"
    card: ClassVar[Card] = Card(
        title="MetaMath: Bootstrap Your Own Mathematical Questions for Large Language Models",
        authors="Yu et al.",
        year=2023,
        paper="2309.12284",
        category="synthesis",
        subcategory="instruction",
        summary="Rephrases questions and asks backwards for one of their numbers, and keeps what is solved exactly.",
        needs=("endpoint", "labels"),
        cost="$$",
        checked="gsm8k and svamp with a teacher that errs in three of ten answers: no wrong row; recorded equations",
        pays="Word problems with known answers and a model that solves most of them: more of the same, all checked.",
        fails="It brings no new subject, and questions without numbers are rephrased alone.",
        evidence="Here, with a teacher that errs in three of ten answers: of 163 rows from gsm8k and 153 from svamp "
        "none is wrong. What training on them is worth was not measured here.",
    )
    operator: ClassVar[Operator] = "rephrasings"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "prompt_leak")
    # No gate of novelty by itself: what is made is near to its seed by design. The exact check is part of the method.
    revisits: ClassVar[bool] = True

    kinds: tuple[Kind, ...] = Field(default=("rephrase", "fobar", "self_verification"), min_length=1)
    """What is made of a question, by turns; a question without a number that can be taken out is rephrased."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    tail: str = FOBAR_TAIL
    """What FOBAR puts behind a question: `{answer}` is the known answer, `{unknown}` the letter."""
    stated_tail: str = STATED_TAIL
    """What self-verification puts behind a statement; `{unknown}` is the letter."""
    instructions: Instructions = REPHRASE
    """What the model is told to do to rephrase."""
    state: Instructions = STATE
    """What it is told to do to state question and answer."""

    _every: bool = PrivateAttr(default=False)
    """Whether one visit makes all kinds, to show them."""

    @field_validator("tail", "stated_tail")
    @classmethod
    def _names_what_it_asks(cls, text: str, info: Any) -> str:
        for name in ("{answer}", "{unknown}") if info.field_name == "tail" else ("{unknown}",):
            if name not in text:
                raise ValueError(f"{name} does not stand in it, so that nothing could be solved")
        return text

    def unfit(self, seed: Row) -> str:
        before, _ = split_answer(seed["messages"])
        if len(before) != 1 or before[0]["role"] != "user" or not before[0]["content"].strip():
            return "not one question alone"
        if seed["media"]:
            return "not written from, the writer cannot see its images or sounds"
        return "" if gold_of(seed) else NO_GOLD

    def rehearsed(self) -> MetaMath:
        whole = self.model_copy()
        whole._every = True
        return whole

    def calls_a_seed(self) -> float:
        return sum(CALLS[kind] for kind in self.kinds) / len(self.kinds)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        often = len(self.kinds) if self._every else 1
        tries = [
            self._begun(seed, turn + more, demand.rng)
            for seed, turn in zip(demand.seeds, demand.turns, strict=True)
            for more in range(often)
        ]
        self._rephrase(client, [one for one in tries if not one.why and one.kind == "rephrase"])
        stating = [one for one in tries if not one.why and one.kind == "self_verification"]
        self._state(client, [(one, one.taken) for one in stating if one.taken])
        open_ = [one for one in tries if not one.why]
        requests = [Request.chat(one.prompt, WORK, self.sampling, one.sample) for one in open_]
        for one, reply in zip(open_, client.ask(requests) if requests else [], strict=True):
            one.replies.append(reply.spoken())
        return [self._proposal(one) for one in tries]

    def _begun(self, seed: Row, turn: int, rng: np.random.Generator) -> _Try:
        """What is to be made of a seed at this visit; seeds begin with different kinds."""
        why = self.unfit(seed)
        kind = self.kinds[(int(seed["id"][:8], 16) + turn) % len(self.kinds)]
        made = _Try(seed, kind, turn, "" if why else seed["messages"][0]["content"].strip(), gold_of(seed), why=why)
        if why or kind == "rephrase":
            return made
        places = places_of(made.asked, worked_of(seed))
        made.taken = taken(made.asked, places[int(rng.integers(len(places)))]) if places else None
        if made.taken is None:
            made.kind, made.why = "rephrase", "" if "rephrase" in self.kinds else NO_NUMBER
        elif kind == "fobar":
            asking = self.tail.replace("{answer}", made.gold).replace("{unknown}", made.taken.unknown)
            made.prompt = f"{made.taken.question} {asking}"
        return made

    def _rephrase(self, client: Asks, tries: Sequence[_Try]) -> None:
        questions = [
            question(self.instructions, {"question": one.asked}, ASK_REPHRASE, self.sampling, one.sample)
            for one in tries
        ]
        for one, answer in zip(tries, ask_for(client, questions, Rephrased), strict=True):
            one.replies += answer.replies
            one.prompt = answer.value.question.strip() if answer.value else ""
            if answer.value is None:
                one.why = failure(answer)
            elif one.prompt.casefold().split() == one.asked.casefold().split():
                one.why = SAME
            elif not one.prompt or values_of(one.prompt) != values_of(one.asked):
                one.why = NUMBERS if one.prompt else "malformed: an empty question"

    def _state(self, client: Asks, tries: Sequence[tuple[_Try, Taken]]) -> None:
        questions = [
            question(self.state, {"question": of.question, "answer": one.gold}, ASK_STATE, self.sampling, one.sample)
            for one, of in tries
        ]
        for (one, of), answer in zip(tries, ask_for(client, questions, Stated), strict=True):
            one.replies += answer.replies
            said = answer.value.statement.strip() if answer.value else ""
            one.why = failure(answer) if answer.value is None else fault_of(said, of, one.gold)
            one.prompt = f"{said} {self.stated_tail.replace('{unknown}', of.unknown)}"

    def _proposal(self, one: _Try) -> Proposal:
        solved = one.replies[-1] if one.replies and not one.why else None
        if solved is not None and not solved.answered:
            one.why = failure(solved)
        if one.why or solved is None:
            return self._with_kind(without(one.why, one.seed, replies=one.replies), one.kind)
        row = child(self.name, one.seed, one.prompt, solved.text.strip())
        facts = {"gold": one.right, "kind": one.kind}
        shown = (str(self.instructions), str(self.state), WORK)
        proposal = Proposal(
            (one.seed["id"],), row, source=one.asked, shown=shown, facts=facts, replies=tuple(one.replies)
        )
        check = ExecutableTruth().check_one(proposal)
        if check.passed:
            return proposal
        return self._with_kind(without(check.reason, one.seed, replies=one.replies), one.kind)

    @staticmethod
    def _with_kind(proposal: Proposal, kind: str) -> Proposal:
        return Proposal(proposal.parents, failure=proposal.failure, facts={"kind": kind}, replies=proposal.replies)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many questions of each kind there were, and rows."""
        made = Counter(str(proposal.facts.get("kind")) for proposal, _ in came)
        rows = Counter(str(proposal.facts.get("kind")) for proposal, why in came if not why)
        return {"kinds": {kind: {"proposed": made[kind], "rows": rows[kind]} for kind in self.kinds}}
