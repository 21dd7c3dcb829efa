"""Dynosaur: tasks from what is said of a data set, filled with its own rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.rows.gaps import SIGNS, WORDS, text_of
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material tells of a data set: its name, what it is, its columns, and a few of its rows. Invent {count} "
    "that its rows are examples of, as different from each other as the columns allow. For each say in `idea` what "
    "it takes to come from the inputs to the output, so that somebody who knows the subject can do it. Then write "
    "the `instruction` that a person gives to an assistant: complete, in the language of the data set, with the "
    "form that the output has (a number, one of some words, a sentence), and without speaking of columns, rows or "
    "data sets. `inputs` are the names of the columns that are shown with it, and `output` is the name of the "
    "column that is the right answer. The output is never among the inputs, and no input says the same as it."
)
ASK = "Write {count} as `tasks`, each with its `idea`, `instruction`, `inputs` and `output`."
NO_CELLS = "no cells, it comes from no table"
UNKNOWN = "the task names a column that is not there"
LEAK = "the output is among the inputs"
SAME = "an input says the same as the output"
CONSTANT = "the output is the same in all rows"
KEY = "the output numbers the rows"
TWICE = "the same columns twice"
NO_INPUTS = "the task has no inputs"
NO_TASK = "no task of the data set can be used"
NO_VALUE = "no value in a column of the task"
SHARE = 0.5
"""Of the rows in which an input equals the output: from here on it gives it away."""
SHOWN = 200
"""Characters of a value that is shown to the model."""
TOKENS = 1200
"""Of the one question and its answer: for the estimate."""
_KEY = re.compile(r"(?i:(?:.*[_ -])?(?:id|index|no|nr|key|uuid))|.*[a-z]I[dD]")


class Task(BaseModel):
    """One task: what is to be done, from which columns, and which column is the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    idea: str
    instruction: str = Field(min_length=1)
    inputs: list[str]
    output: str


class Tasks(Form):
    """What one reply holds."""

    tasks: list[Task] = Field(min_length=1, json_schema_extra={"maxItems": 20})


class Dynosaur(Instructed, AskingProposer):
    """One question for each table: a model invents tasks from its name, its description, its columns and a few rows.
    Each row of the table is then an example of a task, in turn, or of every one (`all_tasks`): the instruction and the
    values of its inputs, answered by the value of its output. No answer comes from a model.

    Tasks that name no column, whose output is among the inputs or stands in one of them under another name, is the same
    in every row or numbers the rows are refused, and so is a second one of the same columns. A row that lacks a value
    is left out of its task. That rows are shown, and how many, is ours; the published set is made of hub data sets.
    """

    card: ClassVar[Card] = Card(
        title="Dynosaur: A Dynamic Growth Paradigm for Instruction-Tuning Data Curation",
        authors="Yin et al.",
        year=2023,
        paper="2305.14327",
        category="synthesis",
        subcategory="knowledge",
        summary="A model invents tasks from a data set's metadata, and its real rows are filled into them.",
        needs=("endpoint",),
        cost="¢",
        checked="films, credit lines and abstracts with planted tasks: unknown columns, leaks, copies, keys and "
        "constants are refused, and of a good task there is a row for each row of the table",
        pays="Labelled tables with columns that say something: one question makes thousands of rows with real answers.",
        fails="Columns of codes, which nobody could foretell; few tables give few kinds of tasks.",
        evidence="By its authors, 800,000 rows for 11.5 dollars of questions (their README). Here, every planted fault "
        "was refused. What training on it is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Tasks
    writes_from: ClassVar[Literal["rows", "documents", "nothing", "tables"]] = "tables"
    whole: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "prompt_leak")

    about: dict[str, str] = {}
    """What each table is, in a few sentences, by the name of its source."""
    tasks: int = Field(default=5, ge=1, le=20)
    """Tasks asked for."""
    all_tasks: bool = False
    """Whether each row is an example of every task; else of one, in turn."""
    shown: int = Field(default=3, ge=0, le=50)
    """Rows that the model sees."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{count}` says how many tasks."""

    def unfit(self, seed: Row) -> str:
        return "" if _cells(seed) else NO_CELLS

    def calls_a_seed(self) -> float:
        """None: there is one for each table."""
        return 0.0

    def estimate(self, pool: PoolStatistics) -> Cost:
        """One question, as of one table; further tables cost as much again."""
        price = self.model.usd_per_mtok
        usd = TOKENS / 2e6 * (price.input + price.output) if price else 0.0
        return self.with_examples(Cost(calls=1, tokens=TOKENS, usd=usd))

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        tables: dict[str, list[int]] = {}
        for i, seed in enumerate(demand.seeds):
            if not self.unfit(seed):
                tables.setdefault(seed["source"], []).append(i)
        asked = [
            self._question(name, [demand.seeds[i] for i in held], demand.turns[held[0]], demand)
            for name, held in tables.items()
        ]
        made: dict[int, list[Proposal]] = {}
        for held, answer in zip(tables.values(), ask_for(client, asked, Tasks), strict=True):
            rows = [demand.seeds[i] for i in held]
            if answer.value is None:
                found = [[failed(answer, row, replies=answer.replies if not n else ())] for n, row in enumerate(rows)]
            else:
                found = self._filled(rows, answer.value.tasks, answer.replies)
            made |= dict(zip(held, found, strict=True))
        return [
            one for i, seed in enumerate(demand.seeds) for one in (made[i] if i in made else [without(NO_CELLS, seed)])
        ]

    def _question(self, name: str, rows: Sequence[Row], turn: int, demand: Demand) -> Request:
        columns = _columns(rows)
        places = sorted(demand.rng.permutation(len(rows))[: self.shown].tolist())
        material = {"name": name or "without a name", "columns": "\n".join(columns)}
        if self.about.get(name, "").strip():
            material["description"] = self.about[name]
        if places:
            some = [{column: text_of(v)[:SHOWN] for column, v in _cells(rows[place]).items()} for place in places]
            material["rows"] = "\n".join(orjson.dumps(one).decode() for one in some)
        count = "one task" if self.tasks == 1 else f"{self.tasks} tasks"
        instructions, ask = (filled(text, count=count) for text in (self.instructions, ASK))
        return question(instructions, material, ask, self.sampling, turn)

    def _filled(self, rows: Sequence[Row], tasks: Sequence[Task], replies: Sequence[Reply]) -> list[list[Proposal]]:
        """The proposals of each row. Why a task was refused stands with the first row, and with it the bill."""
        cells = [_cells(row) for row in rows]
        good: list[Task] = []
        refused: list[Proposal] = []
        for task in tasks[: self.tasks]:
            why = fault(task, cells, good)
            task = task.model_copy(update={"inputs": [*dict.fromkeys(task.inputs)]})  # each column is shown once
            if why:
                refused.append(replace(without(why, rows[0]), facts=_facts(task)))
            else:
                good.append(task)
        found = []
        for place, (row, held) in enumerate(zip(rows, cells, strict=True)):
            own = good if self.all_tasks else [good[place % len(good)]] if good else []
            found.append([self._row(row, held, task) for task in own] or [without(NO_TASK, row)])
        found[0] = [*refused, *found[0]]
        found[0][0] = replace(found[0][0], replies=tuple(replies))
        return found

    def _row(self, row: Row, cells: Mapping[str, Any], task: Task) -> Proposal:
        lacking = next((name for name in (*task.inputs, task.output) if not value(cells, name)), "")
        if lacking:
            return replace(without(f"{NO_VALUE}: {lacking}", row), facts=_facts(task))
        shown = "\n".join(f"{name}: {value(cells, name)}" for name in task.inputs)
        made = child(self.name, row, f"{task.instruction.strip()}\n\n{shown}", value(cells, task.output))
        return Proposal((row["id"],), made, shown=(str(self.instructions),), facts=_facts(task))

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """Rows by task: the instruction with its columns."""
        kept = Counter(
            f"{p.facts['instruction']} ({', '.join(p.facts['inputs'])} -> {p.facts['output']})"
            for p, why in came
            if not why and "instruction" in p.facts
        )
        return {"rows_by_task": dict(kept.most_common())}


def fault(task: Task, cells: Sequence[Mapping[str, Any]], before: Sequence[Task] = ()) -> str:
    """Why a task of these rows is none, or ""."""
    columns = {name for held in cells for name in held}
    unknown = next((name for name in (*task.inputs, task.output) if name not in columns), None)
    if unknown is not None:
        return f"{UNKNOWN}: {unknown!r}"
    if not task.inputs or not task.instruction.strip():
        return NO_INPUTS
    if task.output in task.inputs:
        return LEAK
    if any({*one.inputs} == {*task.inputs} and one.output == task.output for one in before):
        return TWICE
    right = [value(held, task.output) for held in cells]
    there = [text for text in right if text]
    if len(set(there)) < 2:
        return CONSTANT
    if len(set(there)) == len(there) and _KEY.fullmatch(task.output):
        return KEY
    for name in task.inputs:
        equal = sum(
            bool(text) and _plain(value(held, name)) == _plain(text) for held, text in zip(cells, right, strict=True)
        )
        if equal >= SHARE * len(there):
            return f"{SAME}: {name!r}"
    return ""


def value(cells: Mapping[str, Any], name: str) -> str:
    """A cell as a text; "" where it holds no value or a sign for none."""
    text = text_of(cells.get(name))
    return "" if text.lower() in SIGNS - WORDS else text


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _cells(row: Row) -> dict[str, Any]:
    held = orjson.loads(row["cells"]) if row["cells"] else None
    return held if isinstance(held, dict) else {}


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in _cells(row)))


def _facts(task: Task) -> dict[str, Any]:
    return task.model_dump(include={"instruction", "inputs", "output"})
