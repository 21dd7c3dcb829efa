"""Self-Instruct: a model shown a handful of tasks writes new ones, and then works each of them out."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.words.rouge import RougeIndex, indexed
from dataflywheel.signals.words.shingles import word_hashes

TASKS = (
    "The material is {shown} tasks for an assistant. Write {wanted} new ones that differ from these and from each "
    "other in subject, in what is to be done, in length and in wording, in the language of the tasks shown. An "
    "assistant that reads and writes text alone must be able to do them."
)
ASK_TASKS = "Write {wanted} new tasks as the list `instructions`."
INSTANCE = (
    "The material is a task. If it needs some text to work on, write one as `input`, else leave `input` empty. If the "
    "answer is one of a few labels, choose the label first and write an input that deserves it. Then write the "
    "`output`: the whole right answer to the task."
)
ASK_INSTANCE = "Write the `input` of the task, or an empty text, and then the whole `output`."
_OTHER_MEANS = re.compile(
    r"\b(?:images?|graphs?|graphics?|pictures?|files?|maps?|draw|plot|go to|videos?|audio|music|flowcharts?"
    r"|diagrams?)\b",
    re.IGNORECASE,
)
SHOWN_CHARS = 600
"""Of one task: longer ones are cut."""


class Tasks(Form):
    """New tasks."""

    instructions: list[str] = Field(min_length=1)


class Instance(Form):
    """A task's input, if it has one, and its answer."""

    input: str
    output: str


class SelfInstruct(Instructed, AskingProposer):
    """Seeds are taken in groups, over and over: each group is shown and gives as many new tasks. As soon as tasks were
    accepted, some of them are shown in place of seeds, and beside them where there are fewer seeds than a group has: so
    a handful of seeds is enough. Lineage names the seeds that were shown.

    The heuristics are the paper's: length, words for what text cannot do, programs, closeness by ROUGE-L to what was
    shown, written or accepted; empty or echoed outputs. The classification call of the paper is a clause of the second.
    Its presence penalty of 2 is not sent; `extra: {presence_penalty: 2}` of the model sends it where the server knows
    it.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Self-Instruct: Aligning Language Models with Self-Generated Instructions",
        authors="Wang et al.",
        year=2023,
        paper="2212.10560",
        category="synthesis",
        subcategory="instruction",
        summary="New tasks from a handful of shown ones, each worked out by the model, with the paper's filters.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted teacher with planted copies and faults; ROUGE-L against every pair by brute force",
        pays="A handful of tasks written by people and a need for many of the same kind, with a model that invents "
        "varied ones.",
        fails="ROUGE-L catches copies and no repeats in other words, so that the set narrows unseen: give the gate "
        "`novelty` a `cosine`, and spread subjects by `attribute_grid`.",
        evidence="The authors' audit found some problem in 46 % of their rows; benchmarks/gates.md: of 5,000 "
        "instructions after 175 seeds the rule of 0.7 rejects 1.",
    )
    answered_in: ClassVar[type[Form] | None] = Tasks
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")
    revisits: ClassVar[bool] = True

    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.5, gt=0, le=1)
    """Share of the probability from which tasks are drawn."""
    group: int = Field(default=8, ge=1, le=20)
    """Tasks shown in one question, and new ones asked for."""
    own: int = Field(default=2, ge=0, le=20)
    """Of those shown, so many are accepted rows as soon as there are any."""
    most_alike: float = Field(default=0.7, gt=0, le=1)
    """ROUGE-L over which a task is a copy."""
    instructions: Instructions = TASKS
    """What the model is told to do for new tasks: `{wanted}` of them, where `{shown}` are shown."""
    instance: Instructions = INSTANCE
    """What it is told to do with each of them."""

    def calls_a_seed(self) -> float:
        return 1.0 + 1.0 / self.group

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        groups = [
            list(range(start, min(start + self.group, len(demand.seeds))))
            for start in range(0, len(demand.seeds), self.group)
        ]
        drawn = [self._shown(demand, group) for group in groups]
        shown = [texts for texts, _ in drawn]
        drawing = Sampling(self.temperature, self.top_p, self.max_tokens)
        asked = [
            question(
                filled(self.instructions, shown=len(texts), wanted=len(group)),
                {f"task {i}": text for i, text in enumerate(texts, 1)},
                ASK_TASKS.format(wanted=len(group)),
                drawing,
                sample=demand.turns[group[0]],
            )
            for group, texts in zip(groups, shown, strict=True)
        ]
        found = self._tasks(demand, groups, drawn, ask_for(client, asked, Tasks))
        good = [i for i, (_, task, why, _) in enumerate(found) if task and not why]
        questions = [question(self.instance, {"task": found[i][1]}, ASK_INSTANCE, self.sampling) for i in good]
        instances = dict(zip(good, ask_for(client, questions, Instance), strict=True))
        rules = (self.instructions, self.instance)
        return [
            self._row(parents, task, instances[i], replies, rules)
            if i in instances
            else without(why, *parents, replies=replies)
            for i, (parents, task, why, replies) in enumerate(found)
        ]

    def _shown(self, demand: Demand, group: list[int]) -> tuple[list[str], list[int]]:
        """Tasks of the group and some that were accepted, in an order of their own; and which seeds are among them."""
        room = max(min(self.own, self.group - 1), self.group - len(group))
        own = demand.rng.permutation(len(demand.accepted))[:room]
        seeds = group[: self.group - len(own)]
        rows = [*(demand.seeds[i] for i in seeds), *(demand.accepted[i] for i in own)]
        return [_prompt(rows[i])[:SHOWN_CHARS] for i in demand.rng.permutation(len(rows))], seeds

    def _tasks(
        self,
        demand: Demand,
        groups: list[list[int]],
        drawn: list[tuple[list[str], list[int]]],
        answers: list[Answer[Tasks]],
    ) -> list[tuple[list[Row], str, str, tuple[Reply, ...]]]:
        """For each seed in turn: the seeds shown, itself first where it was, the new task, or why there is none, and
        the bill."""
        before = list(dict.fromkeys([*(t for texts, _ in drawn for t in texts), *map(_prompt, demand.accepted)]))
        known = indexed(before, *word_hashes(before), self.most_alike)
        found: list[tuple[list[Row], str, str, tuple[Reply, ...]]] = []
        for group, (_, seeds), answer in zip(groups, drawn, answers, strict=True):
            tasks = [" ".join(t.split()) for t in answer.value.instructions] if answer.value else []
            for number, place in enumerate(group):
                order = sorted(seeds, key=lambda i: i != place)
                parents = [demand.seeds[i] for i in order]
                task = tasks[number] if number < len(tasks) else ""
                why = failed(answer).failure if answer.value is None else "too few tasks written"
                if task:
                    why = unfit(task) or _copy_or_entered(task, known)
                found.append((parents, task, why, answer.replies if number == 0 else ()))
        return found

    def _row(
        self,
        parents: list[Row],
        task: str,
        answer: Answer[Instance],
        before: tuple[Reply, ...],
        rules: tuple[str, ...],
    ) -> Proposal:
        replies = (*before, *answer.replies)
        if answer.value is None:
            return failed(answer, *parents, replies=replies)
        given, output = answer.value.input.strip(), answer.value.output.strip()
        why = "empty output" if not output else "input and output are equal" if given == output else ""
        if why or output.endswith(":"):
            return without(why or "output ends in a colon", *parents, replies=replies)
        row = child(self.name, parents[0], f"{task}\n\n{given}" if given else task, output, parents[1:])
        return Proposal(tuple(r["id"] for r in parents), row, shown=rules, replies=replies)


def unfit(task: str) -> str:
    """Why an instruction is none for a model that reads and writes text, or "".

    >>> unfit("Draw a map of the town."), unfit("Sum it up."), unfit("Name three rivers in Europe.")
    ('needs other means than text', 'too short', '')
    """
    words = len(task.split())
    if words <= 3 or words > 150:
        return "too short" if words <= 3 else "too long"
    if _OTHER_MEANS.search(task):
        return "needs other means than text"
    if task.casefold().startswith("write a program"):
        return "asks for a program"
    if not (task[0].isascii() and task[0].isalnum()) and task[0] not in "\"'":
        return "begins with no letter"
    return ""


def _copy_or_entered(task: str, known: RougeIndex) -> str:
    """Why a task is a copy of one that is known; one that is none is known from then on."""
    words = known.words(word_hashes([task])[0])
    near = known.above(words)
    if near is not None:
        return f"copy of a task: ROUGE-L {near[1]:.2f} with {near[0][:60]!r}"
    known.add(task, words)
    return ""


def _prompt(row: Row) -> str:
    return part_of(row["messages"], "prompt")
