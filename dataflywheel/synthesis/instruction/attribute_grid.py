"""Attribute grid: every cell of a grid of attributes, personas among them, is asked for an example so many times."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

from pydantic import Field, model_validator

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.synthesis.instruction.grid_proposer import GridProposer
from dataflywheel.synthesis.instruction.grids import Cell, Grid, cell_name, cells_of
from dataflywheel.synthesis.instruction.marks import NAMED, names_attributes, without_mark

INSTRUCTIONS = (
    "The material says by attributes what an example of an assistant's training data must be like. Write it: a prompt "
    "as a user would write it, and the right and whole answer to it, in the language of the material unless an "
    "attribute names another. Every attribute must show in what is written, and none may be named there. A persona is "
    "who writes the prompt: it asks for what such a person needs, in their words, without saying who they are."
)
ASK = "Write the `prompt` of one example that has all of these attributes, and then its `answer`."
GRID: dict[str, list[str]] = {
    "task": ["a question about the world", "a problem to be worked out", "a text to be written", "advice"],
    "difficulty": ["easy", "medium", "hard"],
    "length": ["one sentence", "several sentences"],
}
SHOWN_WORDS = 8
"""Words from which a value that comes back word for word is a leak."""


class Example(Form):
    """One example."""

    prompt: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class AttributeGrid(GridProposer):
    """All cells of the grid are asked `each` times at one visit, in an order drawn at random: first every cell once,
    then every one a second time. It is what the grid says, and not `rows`, that decides how many questions there are:
    ask for as many rows as cells times `each`. The step's record says for every cell how often it was asked, how many
    rows came of it, and why the others did not.

    A value may be the path of a file: `persona: personas.txt` with one on each line, or records of a `.jsonl` with the
    attribute's name. Words such as "User prompt:" before a text are taken off, and examples that name their attributes
    fail. The paper seeds four fixed prompts with personas; the grid, and how it is counted, are ours.
    """

    card: ClassVar[Card] = Card(
        title="Scaling Synthetic Data Creation with 1,000,000,000 Personas",
        authors="Ge et al.",
        year=2024,
        paper="2406.20094",
        category="synthesis",
        subcategory="instruction",
        summary="So many examples for every cell of a grid of attributes, such as topic, difficulty and persona.",
        needs=("endpoint",),
        cost="$",
        checked="counts of every cell; entropy of topics and distinct n-grams against a model without attributes",
        pays="Where one knows what the data must cover, and a model by itself writes about the same things.",
        fails="Where the model knows nothing of a cell; more cells than rows wanted are paid for all the same.",
        evidence="Here, of a model with two topics: 3.0 bits of topics by a grid of eight, 0.5 without, at as many "
        "calls. What training on it is worth was not measured here.",
    )
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")

    grid: Grid = GRID
    """Values by attribute: `{topic: [birds, rain], difficulty: [easy, hard], persona: personas.txt}`."""
    tags: list[str] = []
    """Attributes whose values become tags of the row; all stay beside it under their names."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    @model_validator(mode="after")
    def _tags_are_attributes(self) -> Self:
        unknown = [name for name in self.tags if name not in self.grid]
        if unknown:
            raise ValueError(f"tags: {unknown[0]!r} is no attribute of the grid, which has {', '.join(self.grid)}")
        return self

    @property
    def cells(self) -> list[Cell]:
        return cells_of(self.grid)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        made: list[Proposal] = []
        for seed, turn in zip(demand.seeds, demand.turns, strict=True):
            passes = self.passes(demand.rng, turn)
            questions = [question(self.instructions, cell, ASK, self.sampling, number) for cell, number in passes]
            answers = ask_for(client, questions, Example)
            made += [self._read(cell, answer, seed["round"]) for (cell, _), answer in zip(passes, answers, strict=True)]
        return made

    def _read(self, cell: Cell, answer: Answer[Example], round: int) -> Proposal:
        facts = {"cell": cell_name(cell)}
        if answer.value is None:
            return replace(failed(answer), facts=facts)
        prompt, said = without_mark(answer.value.prompt), without_mark(answer.value.answer, answer=True)
        named = names_attributes(prompt, cell) or names_attributes(said, cell)
        if not prompt or not said or named:
            why = f"{NAMED}: {named!r}" if named else f"malformed: an empty {'answer' if prompt else 'prompt'}"
            return replace(without(why, replies=answer.replies), facts=facts)
        row = prompt_answer_row(
            prompt,
            said,
            source=self.name,
            tags=[cell[name] for name in self.tags],
            extra=cell,
            made_by=self.name,
            round=round,
        )
        shown = (str(self.instructions), *(value for value in cell.values() if len(value.split()) >= SHOWN_WORDS))
        return Proposal((), row, shown=shown, facts=facts, replies=answer.replies)
