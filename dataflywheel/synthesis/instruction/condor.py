"""Condor: questions for every leaf of a tree of knowledge, answered, criticised, and answered better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.announced import announced
from dataflywheel.proposing.asking import without
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.instruction.grid_proposer import GridProposer
from dataflywheel.synthesis.instruction.grids import Cell, cell_name
from dataflywheel.synthesis.instruction.marks import NAMED, names_attributes, without_mark
from dataflywheel.synthesis.instruction.tag_tree import BETWEEN, Tree, tree_of

WRITE = (
    "The material names a subject, as the path to it through a field of knowledge, a kind of task, and a difficulty. "
    "Write one question that a user might put to an assistant: about this subject, of this kind and difficulty, in the "
    "language of the subject. It stands by itself and names neither the path nor the difficulty. Then answer it."
)
CRITICISE = (
    "The material is a question and an assistant's answer. Examine the answer as an expert on its subject would who is "
    "hard to please: what is right and must stay, what is wrong, unclear, missing or needless, and how each fault is "
    "mended. Do not write an answer of your own."
)
REFINE = (
    "The material is a question, an answer to it, and what an expert says of the answer. Write the answer anew: mend "
    "what the expert is right about, and keep what is right, with every number, name, unit and piece of code of it, "
    "and its language. It speaks to whoever asked, and never of the expert or of an earlier answer."
)
ASK_WRITE = "Write the `question`, and then its `answer`."
ASK_CRITICISE = "Write the answer's `strengths`, then its `weaknesses`, then your `suggestions`."
ASK_REFINE = "Write the better `answer`, whole."
TREE = {
    "science": {"physics": ["heat", "light"], "biology": ["cells", "ecology"]},
    "daily life": {"home": ["cooking", "repairs"], "health": ["sleep", "first aid"]},
}
TASKS = ["answering a question", "explaining", "working out a problem", "writing a text", "giving advice"]
DIFFICULTIES = ["easy", "medium", "hard"]
UNCHANGED = "nothing was changed"


class Draft(Form):
    """A question with its first answer."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Critique(Form):
    """What an expert says of an answer."""

    strengths: str
    weaknesses: str
    suggestions: str


class Refined(Form):
    """The better answer."""

    answer: str = Field(min_length=1)


@dataclass
class _Draft:
    """One cell's question on its way."""

    cell: Cell
    prompt: str = ""
    answer: str = ""
    better: str = ""
    critique: str = ""
    why: str = ""
    """Why no row comes of it."""
    stays: str = ""
    """Why the first answer stays."""
    replies: list[Reply] = field(default_factory=list)


class Condor(GridProposer):
    """Each leaf of the tree, with each task and each difficulty, is asked for `each` questions with answers. Every
    answer is criticised and written anew; the new one is taken where the gate `meaning` finds that it kept numbers,
    names, denials and code, and the first one stays where it did not, or where no better one could be read.

    The paper's tree of knowledge is data that it gives without code: give your own as `tree`. What the model is told
    is ours, and so is the fallback; the paper takes every refined answer.
    """

    card: ClassVar[Card] = Card(
        title="Condor: Enhance LLM Alignment with Knowledge-Driven Data Synthesis and Refinement",
        authors="Cao et al.",
        year=2025,
        paper="2501.12273",
        category="synthesis",
        subcategory="instruction",
        summary="Questions over a tree of knowledge, tasks and difficulties, whose answers are criticised and refined.",
        needs=("endpoint",),
        cost="$$",
        checked="counts of every cell against the plan; refined answers with planted changes of meaning fall back",
        pays="A field that a model shall know evenly, where first answers are worth a second look.",
        fails="Three calls a row; of a model that cannot criticise itself the second answer is the first in other "
        "words.",
        evidence="Here, of 240 answers of which a third was refined to say something else, none such came into the "
        "rows. What training on it is worth was not measured here.",
    )
    version: ClassVar[int] = 3
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")
    calls_a_cell: ClassVar[int] = 3

    tree: Tree = tree_of(TREE)
    """Fields of knowledge with their parts and subjects: `{science: {physics: [heat, light]}}`, or a YAML or JSON file
    of such a tree. Questions are about its leaves; a path's tags become tags of the row, the uppermost first."""
    tasks: list[str] = Field(default=TASKS, min_length=1)
    """Kinds of questions."""
    difficulties: list[str] = Field(default=DIFFICULTIES, min_length=1)
    """How hard they are."""
    least: float | None = Field(default=None, ge=-1, le=1)
    """Cosine of embeddings of both answers below which the first one stays; null compares by their wording alone."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What the cosine is measured with."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = WRITE
    """What the model is told to do to write a question with its answer."""
    criticise: Instructions = CRITICISE
    """What it is told to do to examine an answer."""
    refine: Instructions = REFINE
    """What it is told to do to write a better one."""

    @property
    def cells(self) -> list[Cell]:
        return [
            {"subject": BETWEEN.join(path), "task": task, "difficulty": difficulty}
            for path, task, difficulty in product(
                self.tree, dict.fromkeys(self.tasks), dict.fromkeys(self.difficulties)
            )
        ]

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        made: list[Proposal] = []
        for seed, turn in zip(demand.seeds, demand.turns, strict=True):
            passes = self.passes(demand.rng, turn)
            drafts = [_Draft(cell) for cell, _ in passes]
            self._write(client, drafts, [number for _, number in passes])
            self._better(client, [one for one in drafts if not one.why])
            self._compare([one for one in drafts if not one.why and not one.stays])
            made += [self._proposal(one, seed["round"]) for one in drafts]
        return made

    def _write(self, client: Asks, drafts: Sequence[_Draft], numbers: Sequence[int]) -> None:
        questions = [
            question(self.instructions, one.cell, ASK_WRITE, self.sampling, number)
            for one, number in zip(drafts, numbers, strict=True)
        ]
        for one, answer in zip(drafts, ask_for(client, questions, Draft), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.why = failure(answer)
                continue
            one.prompt = without_mark(answer.value.question)
            one.answer = without_mark(answer.value.answer, answer=True)
            named = names_attributes(one.prompt, one.cell) or names_attributes(one.answer, one.cell)
            if not one.prompt or not one.answer or named:
                one.why = f"{NAMED}: {named!r}" if named else "malformed: an empty question or answer"

    def _better(self, client: Asks, drafts: Sequence[_Draft]) -> None:
        """Have each answer criticised and written anew, at temperature 0."""
        sampling = Sampling(max_tokens=self.max_tokens)
        questions = [
            question(self.criticise, {"question": one.prompt, "answer": one.answer}, ASK_CRITICISE, sampling)
            for one in drafts
        ]
        for one, said in zip(drafts, ask_for(client, questions, Critique), strict=True):
            one.replies += said.replies
            one.why, one.stays = passing(said.replies), "" if said.value else failure(said)
            if said.value:
                one.critique = "\n".join(f"{name}: {text}" for name, text in said.value.model_dump().items())
        open_ = [one for one in drafts if not one.why and not one.stays]
        questions = [
            question(
                self.refine,
                {"question": one.prompt, "answer": one.answer, "critique": one.critique},
                ASK_REFINE,
                sampling,
            )
            for one in open_
        ]
        for one, better in zip(open_, ask_for(client, questions, Refined), strict=True):
            one.replies += better.replies
            one.why, one.stays = passing(better.replies), "" if better.value else failure(better)
            one.better = without_mark(better.value.answer, answer=True) if better.value else ""
            if better.value and one.better in ("", one.answer):
                one.stays = UNCHANGED
            elif better.value:
                one.stays = announced(one.better, one.answer)

    def _compare(self, drafts: Sequence[_Draft]) -> None:
        """The first answer stays where the better one says something else."""
        gate = Meaning(part="answer", additions=True, least=self.least, most=None, embedder=self.embedder)
        both = [
            (prompt_answer_row(one.prompt, one.answer), prompt_answer_row(one.prompt, one.better)) for one in drafts
        ]
        checks = gate.check([Proposal((), row, before=before) for before, row in both], Surroundings())
        for one, check in zip(drafts, checks, strict=True):
            one.stays = "" if check.passed else check.reason

    def _proposal(self, one: _Draft, round: int) -> Proposal:
        facts = {"cell": cell_name(one.cell)}
        if one.why:
            return replace(without(one.why, replies=one.replies), facts=facts)
        facts["stays"] = one.stays.partition(":")[0]
        row = self._row(one, round)
        shown = (str(self.instructions), str(self.criticise), str(self.refine))
        return Proposal((), row, shown=shown, facts=facts, replies=tuple(one.replies))

    def _row(self, one: _Draft, round: int) -> Row:
        return prompt_answer_row(
            one.prompt,
            one.answer if one.stays else one.better,
            source=self.name,
            tags=one.cell["subject"].split(BETWEEN),
            extra=one.cell,
            made_by=self.name,
            round=round,
        )

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """With how many answers were refined, and why the others stayed."""
        kept = Counter(str(proposal.facts.get("stays")) for proposal, why in came if not why)
        stayed = {reason: n for reason, n in kept.most_common() if reason}
        return {**super().told_of(came), "refined": {"rows": kept[""], "first_answer_stays": stayed}}
