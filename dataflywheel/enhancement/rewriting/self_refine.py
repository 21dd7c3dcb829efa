"""Self-Refine: a model criticises an answer, mends it, and criticises again; the best version stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row

DRAFT = (
    "The material is an instruction to an assistant. Write the best answer to it that you can, in the language that it "
    "is written in unless it asks for another."
)
FEEDBACK = (
    "You examine an answer to an instruction. List every real fault of the answer: something wrong, missing, unclear "
    "or against the instruction; each in one sentence that says what is to be changed. A good answer has an empty "
    "list. Then score the answer from 0 (useless) to 10 (nothing left to improve)."
)
REFINE = (
    "The material is an instruction, an answer to it, and a list of the answer's faults. Write the answer anew "
    "without these faults and keep everything that is right in it, and its language. Do not mention the faults or "
    "that there was an earlier version."
)
ASK = {
    "draft": "Answer the instruction: write the whole `answer`.",
    "feedback": "Which faults does the answer have? List them in `issues`, and then give the `score` from 0 to 10.",
    "instructions": "Write the whole `answer` anew, without the faults.",
}
"""The request that belongs to each of these, by the parameter that holds it."""


class Written(Form):
    """An answer as the model writes it."""

    answer: str = Field(min_length=1)


class Feedback(Form):
    """What is wrong with one version, and how good it is."""

    issues: list[str]
    score: int = Field(ge=0, le=10)


@dataclass
class _Course:
    """One row on its way: the version at hand, the best one so far, and all that was asked for it."""

    row: Row
    turn: int
    draft: str
    version: str = ""
    issues: Sequence[str] = ()
    score: int | None = None
    """Of the best version; None before the draft is scored."""
    best: str = ""
    why: str = ""
    """Why the course is over."""
    replies: list[Reply] = field(default_factory=list)


class SelfRefine(Instructed, Proposer):
    """The row's answer is the draft; a row without one gets a draft from the model first.

    Each round mends the best version by its list of faults and scores the result. It ends when no fault is named, when
    the score does not rise, or after `rounds`; the best version is proposed, the earlier one where scores are equal. A
    draft that stays the best leaves its row as it is.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Self-Refine: Iterative Refinement with Self-Feedback",
        authors="Madaan et al.",
        year=2023,
        paper="2303.17651",
        category="enhancement",
        subcategory="rewriting",
        summary="Draft, feedback, refinement by one model, round by round; keeps the best version.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted refiner with planted defects that mends one a round and at times breaks two",
        pays="Single answers with faults that the model can name once it looks, such as missed constraints, and a "
        "budget of several calls a row.",
        fails="The critic is the writer: it invents faults, overlooks its own, and gives its mended version a higher "
        "mark; where an answer can be checked use `generate_verify_keep`, else another model by `revision`.",
    )
    answered_in: ClassVar[type[Form] | None] = Written
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    # No bound above: what refines "72" may be a worked solution, and what was drafted replaces nothing.
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"ratio": (0.1, 1000.0)}},
        "refusal",
        "prompt_leak",
        "contamination",
    )

    model: ModelSpec
    """The model that criticises and mends."""
    rounds: int = Field(default=4, ge=1, le=10)
    """Refinements of one row, at most."""
    pairs: bool = False
    """The proposed row is a preference pair: the best version is its answer, the draft its rejected one."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one answer, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    instructions: Instructions = REFINE
    """What the model is told to do to mend an answer."""
    feedback: Instructions = FEEDBACK
    """What it is told to do to find an answer's faults."""
    draft: Instructions = DRAFT
    """What it is told to do where a row has no answer."""

    def calls_a_seed(self) -> float:
        return 1.0 + 2.0 * self.rounds

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        courses = [
            _Course(row, turn, draft := exchange_of(row).answer, version=draft, best=draft)
            for row, turn in zip(demand.seeds, demand.turns, strict=True)
        ]
        for course in courses:
            course.why = unfit(course.row, self.max_chars, answered=False)
        self._write(client, [c for c in _open(courses) if not c.draft.strip()], "draft")
        for course in courses:
            if not course.draft.strip():
                course.draft = course.best = course.version
        self._judge(client, _open(courses))
        for _ in range(self.rounds):
            self._write(client, _open(courses), "instructions")
            self._judge(client, _open(courses))
        return [self._proposal(course) for course in courses]

    def _write(self, client: Asks, courses: list[_Course], told: str) -> None:
        """Give each course its next version, or end it."""
        questions = []
        for course in courses:
            parts = exchange_of(course.row).parts | {"answer": course.best}
            parts = {name: text for name, text in parts.items() if text}
            if told == "instructions":
                parts["faults"] = "\n".join(f"- {issue}" for issue in course.issues)
            questions.append(self._question(told, parts, course))
        answers = ask_for(client, questions, Written)
        for course, answer in zip(courses, answers, strict=True):
            course.replies += answer.replies
            if answer.value is None or not answer.value.answer.strip():
                course.why = failure(answer) if answer.value is None else "malformed: an empty answer"
            else:
                course.version = answer.value.answer

    def _judge(self, client: Asks, courses: list[_Course]) -> None:
        """Score each version at hand; end the course where it is without fault or not better than the best."""
        questions = [self._question("feedback", exchange_of(c.row).parts | {"answer": c.version}, c) for c in courses]
        answers = ask_for(client, questions, Feedback)
        for course, answer in zip(courses, answers, strict=True):
            course.replies += answer.replies
            found = answer.value
            if found is None:
                course.why = failure(answer)
            elif course.score is not None and found.score <= course.score:
                course.why = "no better version"
            else:
                course.best, course.score, course.issues = course.version, found.score, found.issues
                course.why = "" if found.issues else "no issue"

    def _question(self, told: str, parts: dict[str, str], course: _Course) -> Request:
        instructions: str = getattr(self, told)
        return question(instructions, parts, ASK[told], Sampling(max_tokens=self.max_tokens), course.turn)

    def _proposal(self, course: _Course) -> Proposal:
        lost = passing(course.replies)
        if lost:  # another run may go further: what is kept must not depend on when a server failed
            return unchanged(course.row, lost, course.replies)
        before = exchange_of(course.row).answer
        if course.score is None or course.best == before:
            return unchanged(course.row, course.why or "no better version", course.replies)
        pair = course.draft if self.pairs and course.draft != course.best else None
        return replaced(
            course.row,
            rewritten(course.row, self.name, course.best, rejected=pair),
            course.replies,
            (self.instructions,),
        )


def _open(courses: Sequence[_Course]) -> list[_Course]:
    return [course for course in courses if not course.why]
