"""OSS-Instruct: a random fragment of real code or text brings a problem to mind, which is solved at once."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.gates.prompt_leak import longest_run
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import Part, answer_said, part_of
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.synthesis.instruction.fragments import Pieces, fragment_of

INSTRUCTIONS = (
    "The material is a fragment of code or of a text. Let it inspire you to one problem for an assistant: a task of "
    "practice, in the language of the fragment, and in its programming language where it is code. The problem stands "
    "by itself: whoever solves it has not seen the fragment and finds in the problem all that is needed. Then solve it "
    "as an expert would, right and whole. Copy neither the fragment nor, in the solution, the problem."
)
ASK = "Write a new `problem` that stands by itself, and then its whole `solution`."
TOO_LITTLE = "too little text for a fragment"
SPEAKS = "the problem speaks of its fragment"
COPIES = ("the problem copies the fragment", "the solution copies the fragment", "the solution copies the problem")
_SPEAKS = re.compile(
    r"\b(?:the|this|that|given|provided|above|your)\s+(?:code\s+|text\s+)?(?:fragment|snippet|excerpt|inspiration)s?\b",
    re.IGNORECASE,
)


class Solved(Form):
    """A problem and its solution."""

    problem: str = Field(min_length=1)
    solution: str = Field(min_length=1)


class OSSInstruct(Instructed, AskingProposer):
    """Each visit of a row or document draws a fragment of its text: up to 15 lines of its code, or as many sentences
    of prose. What it is drawn by is the recipe's seed.

    A reply that was cut, lacks a part, or in which a block of the fragment or of the problem comes back fails.
    """

    name: ClassVar[str] = "oss_instruct"
    card: ClassVar[Card] = Card(
        title="Magicoder: Empowering Code Generation with OSS-Instruct",
        authors="Wei et al.",
        year=2023,
        paper="2312.02120",
        category="synthesis",
        subcategory="instruction",
        summary="Random fragments of code or text inspire problems, each with its solution.",
        needs=("endpoint",),
        cost="$",
        checked="planted copies, cuts and missing parts: each has its reason, and all add up to what was asked",
        pays="A model that comes back to the same few problems, and a store of code or texts to draw from.",
        fails="Nothing checks the solutions; a gate that runs or judges them must.",
        evidence="What training on it is worth was not measured here beside random choice.",
    )
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")

    temperature: float = Field(default=0.0, ge=0, le=2)
    """Of the model's draws; fragments differ, so that 0 as published gives different problems."""
    pieces: Pieces = "auto"
    """What a fragment is made of: `lines`, `sentences`, or as the text is: lines of its longest block of code, or of
    all of it where it looks like code, else sentences."""
    most: int = Field(default=15, ge=1, le=200)
    """Lines or sentences of a fragment, at most."""
    least_words: int = Field(default=5, ge=1)
    """A fragment goes on until it has so many words."""
    part: Part = "answer"
    """Of which part of a row fragments are; all of it where that part is empty."""
    copied: int = Field(default=20, ge=3)
    """Words in one piece from which fragment or problem count as copied."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def unfit(self, seed: Row) -> str:
        return TOO_LITTLE if len(forms(self._text(seed))) < self.least_words else ""

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        texts = [self._text(seed) for seed in demand.seeds]
        drawn = [fragment_of(text, demand.rng, self.most, self.least_words, self.pieces) for text in texts]
        asked = [i for i, fragment in enumerate(drawn) if fragment]
        questions = [
            question(self.instructions, {"fragment": drawn[i]}, ASK, self.sampling, demand.turns[i]) for i in asked
        ]
        answers = dict(zip(asked, ask_for(client, questions, Solved), strict=True))
        return [
            self._read(seed, drawn[i], answers[i]) if i in answers else without(TOO_LITTLE, seed)
            for i, seed in enumerate(demand.seeds)
        ]

    def _text(self, seed: Row) -> str:
        turns = seed["messages"]
        own = answer_said(turns) if self.part == "answer" else part_of(turns, self.part)
        return own if own.strip() else part_of(turns, "all")

    def _read(self, seed: Row, fragment: str, answer: Answer[Solved]) -> Proposal:
        if answer.value is None:
            return failed(answer, seed)
        problem, solution = answer.value.problem.strip(), answer.value.solution.strip()
        why = self._fault(problem, solution, fragment)
        if why:
            return without(why, seed, replies=answer.replies)
        row = child(self.name, seed, problem, solution)
        facts = {"fragment": fragment}
        return Proposal((seed["id"],), row, shown=(self.instructions,), facts=facts, replies=answer.replies)

    def _fault(self, problem: str, solution: str, fragment: str) -> str:
        """Why what was written is no problem with its solution, or ""."""
        if not problem or not solution:
            return f"malformed: an empty {'solution' if problem else 'problem'}"
        said = _SPEAKS.search(problem)
        if said and "```" not in problem:
            return f"{SPEAKS}: {said[0]!r}"
        for why, text, of in zip(COPIES, (problem, solution, solution), (fragment, fragment, problem), strict=True):
            run = longest_run(text, [of], [], self.copied)
            if run:
                return f"{why}: {run} words"
        return ""
