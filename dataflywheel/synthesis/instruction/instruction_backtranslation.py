"""Instruction backtranslation: the instruction that a text answers is written for it, and the pair is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions, together
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Outcome, Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.gates.prompt_leak import longest_run
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.synthesis.knowledge.chunks import locate
from dataflywheel.synthesis.knowledge.documents import LEANS, leans, text_of_document, visits
from dataflywheel.synthesis.knowledge.sections import Span

INSTRUCTIONS = (
    "The material is a text that an assistant wrote to answer a user. Find the instruction that it answers best. Write "
    "it in the language of the text, as the user would have who has not seen it: it names its subject, asks for what "
    "the text gives and for no more, says which form or length is wanted where that shows, neither copies the text nor "
    "speaks of any text."
)
CUT = (
    "Where a part of the text alone would be the better answer, without menus, notices and asides, write the "
    "instruction for that part."
)
CURATION = (
    "You look after the training data of an assistant. The material is an instruction and an answer to it. Say in a "
    "sentence what the answer lacks, if anything, then grade the pair. 1: about something else, or no answer. 2: a "
    "part of what was asked, or much that was not. 3: all of it, but not as an assistant would answer: as a page, a "
    "notice or one person's view. 4: whole, clear and well ordered, with small faults. 5: just what was asked, right, "
    "complete and well written, without anything needless."
)
ASK = "Write the `instruction` that this text answers."
ASK_CUT = (
    "Write the `instruction`, and copy letter for letter how the answer `begins` and how it `ends`: five to ten words "
    "of the text each."
)
ASK_GRADE = "Say in `why` what speaks against the answer, then give the `score`: 1 to 5."
QUOTED, WHOLE = 12, 5
"""Words in one piece that an instruction may not take from its answer; one of as few as five may not lie in it."""
UNREADABLE = "unreadable grade"
LOW = "graded too low"
QUOTES = "the instruction quotes its answer"
NO_CUT = "no cut, the quoted words are not in the text"


class Written(Form):
    """The instruction."""

    instruction: str = Field(min_length=1)


class Cut(Written):
    """The instruction, and where in the text its answer begins and ends."""

    begins: str = Field(min_length=1)
    ends: str = Field(min_length=1)


class Grade(Form):
    """What is wrong with a pair, and its grade."""

    limit: ClassVar[int] = 160

    why: str = words(300)
    score: int = Field(ge=1, le=5)


@dataclass
class _Pair:
    """A part of a document on its way to become an answer."""

    seed: Row
    text: str
    part: Span
    instruction: str = ""
    why: str = ""
    """Why it is none."""
    score: int = 0
    replies: list[Reply] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return self.text[slice(*self.part)]


class InstructionBacktranslation(Instructed, AskingProposer):
    """Each visit of a document is about its next part: its words are the answer, and the model writes the instruction.

    The same model grades each pair from 1 to 5, in a question of its own; a grade that cannot be read counts as
    `unreadable grade`, never as a number. An instruction that copies its answer or speaks of a text fails.

    The paper trains a backward model on reversed seeds and a forward model to grade by; here one instructed model does
    both, and what it is told is ours. With a folder of a trained backward model as `model`, and a gate of one's own to
    grade, `at_least: 1` leaves the grading out of the decision.
    """

    card: ClassVar[Card] = Card(
        title="Self-Alignment with Instruction Backtranslation",
        authors="Li et al.",
        year=2023,
        paper="2308.06259",
        category="synthesis",
        subcategory="instruction",
        summary="Writes the instruction that a text of people answers, and keeps the pairs graded best.",
        needs=("endpoint",),
        cost="$$",
        checked="medical answers found again by BM25 from what a scripted model wrote; planted grades and faults",
        pays="Many good texts of people without questions: manuals, articles, answers of forums.",
        fails="Texts that are poor answers stay poor: nothing mends them. A model that grades all alike curates "
        "nothing.",
        evidence="Here, of 240 medical answers with a third of the instructions wrong, BM25 finds the right answer "
        "first for 86 % of what is kept. What training on it is worth was not measured here.",
    )
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak")

    temperature: float = Field(default=0.7, ge=0, le=2)
    """Of the instructions; grades are drawn at 0."""
    top_p: float = Field(default=0.9, gt=0, le=1)
    """Share of the probability from which instructions are drawn."""
    at_least: int = Field(default=5, ge=1, le=5)
    """Grade from which a pair is kept."""
    cut: bool = False
    """Let the model say where in the text the answer begins and ends, so that menus and notices stay out. The answer
    stays the text's own words."""
    longest: int = Field(default=4000, ge=200)
    """Characters of an answer, at most; longer documents are taken in parts, at their sections."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
    curation: Instructions = CURATION
    """What it is told to do to grade a pair."""

    def unfit(self, seed: Row) -> str:
        return text_of_document(seed)[1]

    def calls_a_seed(self) -> float:
        return 2.0

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        made: list[_Pair | Proposal] = []
        pairs: list[_Pair] = []
        cycles: list[int] = []
        for seed, one in zip(demand.seeds, visits(demand, self.longest), strict=True):
            if isinstance(one, str):
                made.append(without(one, seed))
                continue
            pairs.append(_Pair(seed, one.text, one.place))
            cycles.append(one.cycle)
            made.append(pairs[-1])
        self._write(client, pairs, cycles)
        self._grade(client, [pair for pair in pairs if not pair.why])
        return [self._proposal(one) if isinstance(one, _Pair) else one for one in made]

    def _write(self, client: Asks, pairs: Sequence[_Pair], cycles: Sequence[int]) -> None:
        sampling = Sampling(self.temperature, self.top_p, self.max_tokens)
        questions = [
            question(self._told(), {"text": pair.answer}, ASK_CUT if self.cut else ASK, sampling, cycle)
            for pair, cycle in zip(pairs, cycles, strict=True)
        ]
        form: type[Written] = Cut if self.cut else Written
        for pair, answer in zip(pairs, ask_for(client, questions, form), strict=True):
            pair.replies += answer.replies
            if answer.value is None:
                pair.why = failure(answer)
                continue
            pair.instruction = answer.value.instruction.strip()
            if isinstance(answer.value, Cut):
                _shorten(pair, answer.value)
            pair.why = pair.why or _fault(pair)

    def _grade(self, client: Asks, pairs: Sequence[_Pair]) -> None:
        questions = [
            question(self.curation, {"instruction": pair.instruction, "answer": pair.answer}, ASK_GRADE, Sampling())
            for pair in pairs
        ]
        for pair, answer in zip(pairs, ask_for(client, questions, Grade), strict=True):
            pair.replies += answer.replies
            if answer.value is None:
                lost = answer.outcome in (Outcome.MALFORMED, Outcome.TRUNCATED)
                pair.why = f"{UNREADABLE}: {answer.error}" if lost else failure(answer)
                continue
            pair.score = answer.value.score
            if pair.score < self.at_least:
                pair.why = f"{LOW}: {pair.score} of 5"

    def _told(self) -> str:
        own = self.cut and self.instructions == INSTRUCTIONS
        return together([self.instructions, CUT]) if own else self.instructions

    def _proposal(self, pair: _Pair) -> Proposal:
        if pair.why:
            return without(pair.why, pair.seed, replies=pair.replies)
        row = child(self.name, pair.seed, pair.instruction, pair.answer)
        facts = {"score": float(pair.score), "span": list(pair.part)}
        shown = (str(self.instructions), str(self.curation))
        return Proposal(
            (pair.seed["id"],), row, source=pair.text, shown=shown, facts=facts, replies=tuple(pair.replies)
        )


def _shorten(pair: _Pair, found: Cut) -> None:
    """Cut the part to where the answer begins and ends."""
    begins = locate(found.begins, pair.text, *pair.part)
    ends = locate(found.ends, pair.text, begins[0], pair.part[1]) if begins else None
    if begins is None or ends is None:
        pair.why = NO_CUT
    else:
        pair.part = begins[0], ends[1]


def _fault(pair: _Pair) -> str:
    """Why what was written is no instruction for the answer, or ""."""
    if not pair.instruction:
        return "malformed: an empty instruction"
    said = leans(pair.instruction, pair.text)
    if said:
        return f"{LEANS}: {said!r}"
    whole = max(WHOLE, len(forms(pair.instruction)))  # a short one may be a sentence of the text and nothing else
    run = longest_run(pair.instruction, [pair.answer], [], min(QUOTED, whole))
    return f"{QUOTES}: {run} words" if run else ""
