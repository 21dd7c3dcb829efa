"""Evol-Instruct: instructions are made harder or rarer by a model, round by round, and failed evolutions go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, follow, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.synthesis.instruction.evol_elimination import LEAK, NO_GAIN, eliminated, leaks_prompt

DEEPER = (
    "The material is an instruction to an assistant. Write a more demanding version of it: {how}. It must stay "
    "reasonable, clear to a person and possible to answer, keep its language and all that the material holds, such as "
    "tables, code and input, and add 10 to 20 words, no more."
)
RARER = (
    "The material is an instruction to an assistant. Write a new one of the same field and language that is rarer, of "
    "about the same length and difficulty, and that is reasonable, clear to a person and possible to answer."
)
OPERATIONS = (
    ("constraint", "add one more constraint or requirement"),
    ("deepening", "ask for more depth and breadth where it asks something"),
    ("concretising", "put more specific notions in the place of general ones"),
    ("reasoning", "make it need several explicit steps of reasoning"),
    ("rarer", ""),
)
"""Each with how an instruction is made more demanding; the last one makes another of it."""
GAIN = (
    "The material is two instructions to an assistant. They are `equal` if they have the same constraints and "
    "requirements and ask for the same depth and breadth; otherwise they are not."
)
ASK = "Write the new `instruction` alone; do not answer it."
ASK_GAIN = "Do both ask for the same? Say in `equal`: true or false."


class Evolved(Form):
    """The instruction as the model evolved it."""

    instruction: str = Field(min_length=1)


class Equality(Form):
    """Whether two instructions ask for the same."""

    limit: ClassVar[int] = 48

    equal: bool


@dataclass
class _Lineage:
    """One seed on its way: its instruction as it stands, and what has come of it."""

    seed: Row
    turn: int
    instruction: str
    made: list[Proposal] = field(default_factory=list)


@dataclass
class _Attempt:
    """One evolution of one lineage."""

    of: _Lineage
    operation: str
    text: str = ""
    why: str = ""
    """Why it failed."""
    replies: list[Reply] = field(default_factory=list)


class EvolInstruct(Instructed, AskingProposer):
    """Every round evolves each seed's instruction as it stands by an operation drawn at random, and answers it.

    A failed evolution is a proposal without a row, and the next round begins from the instruction before it.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="WizardLM: Empowering Large Language Models to Follow Complex Instructions",
        authors="Xu et al.",
        year=2023,
        paper="2304.12244",
        category="synthesis",
        subcategory="instruction",
        summary="Instructions evolved in depth or breadth, answered, and thrown away by the paper's four rules.",
        needs=("endpoint",),
        cost="$$",
        checked="planted positives and negatives of each elimination rule; bounded rounds with a scripted teacher",
        pays="A pool of plain instructions, and a strong chat model, where the student is to follow several "
        "constraints at once.",
        fails="Round upon round drifts from the seeds' subject to contrived tasks that the model itself answers "
        "wrongly: stay at one or two `rounds`, and check answers by a gate.",
        evidence="benchmarks/real_model.md: of 4 evolutions by a 135M model 3 brought no information gain. What "
        "training on them is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Evolved
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak")
    # No gate of novelty by itself: what is made is near to its seed by design.

    rounds: int = Field(default=1, ge=1, le=8)
    """Evolutions of one seed at each visit, one on top of the other."""
    max_chars: int = Field(default=8000, ge=100)
    """Longer instructions are not evolved."""
    instructions: Instructions = DEEPER
    """What the model is told to do for depth; `{how}` says by which operation."""
    rarer: Instructions = RARER
    """What it is told to do for breadth."""
    gain: Instructions = GAIN
    """What it is told to do to compare an instruction with the one before."""

    def calls_a_seed(self) -> float:
        return 3.0 * self.rounds

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        lines = [
            _Lineage(seed, turn, part_of(seed["messages"], "prompt").strip())
            for seed, turn in zip(demand.seeds, demand.turns, strict=True)
        ]
        fit = [line for line in lines if 0 < len(line.instruction) <= self.max_chars]
        for line in lines:
            if not line.instruction:
                line.made.append(without("no instruction", line.seed))
            elif len(line.instruction) > self.max_chars:
                line.made.append(without("instruction too long", line.seed))
        for number in range(1, self.rounds + 1):
            drawn = demand.rng.integers(len(OPERATIONS), size=len(fit))
            self._round(client, fit, [int(i) for i in drawn], number)
        return [proposal for line in lines for proposal in line.made]

    def _round(self, client: Asks, lines: Sequence[_Lineage], drawn: Sequence[int], number: int) -> None:
        attempts = [_Attempt(line, OPERATIONS[i][0]) for line, i in zip(lines, drawn, strict=True)]
        told = self._operations()
        self._evolve(client, attempts, [told[i] for i in drawn])
        self._compare(client, [one for one in attempts if not one.why])
        open_ = [one for one in attempts if not one.why]
        answers = follow(client, [one.text for one in open_], Sampling(0.0, 1.0, self.max_tokens))
        for one, answer in zip(open_, answers, strict=True):
            one.replies.append(answer)
            said = answer.text.strip()
            one.why = eliminated(said) if answer.answered else failure(answer)
            if not one.why:
                one.of.made.append(self._proposal(one, said, number))
        for one in attempts:
            if one.why:
                one.of.made.append(without(one.why, one.of.seed, replies=one.replies))
            else:
                one.of.instruction = one.text

    def _operations(self) -> list[str]:
        """What is told for each operation."""
        return [filled(self.instructions, how=how) if how else self.rarer for _, how in OPERATIONS]

    def _evolve(self, client: Asks, attempts: Sequence[_Attempt], instructions: Sequence[str]) -> None:
        questions = [
            question(how, {"instruction": one.of.instruction}, ASK, self.sampling, one.of.turn)
            for one, how in zip(attempts, instructions, strict=True)
        ]
        for one, answer in zip(attempts, ask_for(client, questions, Evolved), strict=True):
            one.replies += answer.replies
            one.text = answer.value.instruction.strip() if answer.value else ""
            one.why = failure(answer) if answer.value is None else ""
            if not one.why and one.text.casefold() in ("", one.of.instruction.casefold()):
                one.why = NO_GAIN
            elif not one.why and leaks_prompt(one.text, one.of.instruction):
                one.why = LEAK

    def _compare(self, client: Asks, attempts: Sequence[_Attempt]) -> None:
        """Rarer instructions are others by design: they are not compared."""
        compared = [one for one in attempts if one.operation != "rarer"]
        questions = [
            question(self.gain, {"first": one.of.instruction, "second": one.text}, ASK_GAIN, Sampling())
            for one in compared
        ]
        for one, answer in zip(compared, ask_for(client, questions, Equality), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.why = failure(answer)
            elif answer.value.equal:
                one.why = NO_GAIN

    def _proposal(self, one: _Attempt, answer: str, number: int) -> Proposal:
        row = child(self.name, one.of.seed, one.text, answer)
        facts = {"operation": one.operation, "depth": number}
        shown = tuple(self._operations())
        return Proposal((one.of.seed["id"],), row, shown=shown, facts=facts, replies=tuple(one.replies))
