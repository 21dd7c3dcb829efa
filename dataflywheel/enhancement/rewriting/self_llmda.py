"""Self-LLMDA: the model writes ways to make another text of a text, they are tried, and the best one is applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.enhancement.rewriting.augmented import Seed, seed_of
from dataflywheel.enhancement.rewriting.augmenting_ways import (
    GRADE,
    NO_WAY,
    SHOWN,
    WAYS,
    Choice,
    Scored,
    graded,
    written,
)  # fmt: skip
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import QUESTION_TOKENS, AskingProposer, without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.label_checks import CHECK, ByModel
from dataflywheel.proposing.labelled_texts import kind_of, place_of, same, usual_labels

INSTRUCTIONS = (
    "The material is a text and a way to make another text of it. Write the other text in that way and in the language "
    "of the text. Whatever the way says: what the text says or asks, its numbers, and its label where it has one, "
    "stay. If the text asks something, do not answer it."
)
ASK = "Write the whole other `text`."
LOST = "label lost: the checker finds another one"
MOST = 50
"""Labels of a task, at most."""


TRIAL = 1_000_000
"""The number of a trial's draw, beyond that of any visit."""


class Augmented(Form):
    """The other text."""

    text: str = Field(min_length=1)


class SelfLlmda(Instructed, AskingProposer):
    """New rows whose text is another one made in a way that the model thought of; answer and label stay. A task is a
    source with a first tag. For each, the model writes `ways`; the best of them by `select` are applied, one a visit.

    `select: tried` applies every way to `tries` rows and counts the texts that pass; `model` has the model grade it.
    A text passes where it is neither the same words nor an answer, keeps the language, and says the same: of a labelled
    text a checker that is not told finds the label, of any other the invariants of the gate `meaning` hold.

    Reconstructed: in the paper a trained model ranks ways by task; here they are tried, or graded. Prompts are ours.
    """

    card: ClassVar[Card] = Card(
        title="Empowering Large Language Models for Textual Data Augmentation",
        authors="Li et al.",
        year=2024,
        paper="2404.17642",
        category="enhancement",
        subcategory="rewriting",
        summary="The model writes ways to augment texts, the best for the task is chosen by trying, and applied.",
        needs=("endpoint",),
        cost="$$",
        checked="scripted ways of known worth: their order from 50 tries each; labels lost and copies are no rows",
        pays="Some hundreds of labelled texts, where one does not know which rewording suits them.",
        fails="Few rows: the trials then cost more than what is written; labels that hang on the wording.",
        evidence="Here, of six scripted ways that keep a label in 10 to 95 %, fifty trials each give the true order in "
        "five of five tasks (Kendall's tau 1.0). What training on such rows is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Augmented
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"answer": (0, 100_000), "prompt": (0, 100_000), "complete": False}},
        "refusal",
        "prompt_leak",
    )

    ways: int = Field(default=6, ge=1, le=50)
    """Ways that are written for each task."""
    select: Literal["tried", "model"] = "tried"
    """What chooses among them: trials on rows of the task, or grades by the model."""
    tries: int = Field(default=5, ge=1, le=200)
    """Rows that each way is tried on."""
    best: int = Field(default=1, ge=1, le=50)
    """Ways that are applied, in turn at each visit."""
    verifier: ModelSpec | None = None
    """Who says which label a text has; None: `model`, which is not told."""
    about: str = ""
    """What the labels say of a text, for the checker."""
    max_chars: int = Field(default=6000, ge=20)
    """Longer texts are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do to apply a way."""
    writing: Instructions = WAYS
    """What it is told to do to find `{count}` ways."""
    grading: Instructions = GRADE
    """What it is told to do to grade a way."""

    _choices: dict[tuple[str, str], Choice] = PrivateAttr(default_factory=dict)
    _known: tuple[str, ...] = PrivateAttr(default=())

    def calls_a_seed(self) -> float:
        return 2.0

    def setup_calls(self) -> int:
        """Questions for one task before anything is written."""
        return 1 + self.ways * (2 * self.tries if self.select == "tried" else 1)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """With the choice for one task; texts without a label are checked without a question."""
        row = pool.tokens / max(1, pool.rows)
        price, calls = self.model.usd_per_mtok, self.setup_calls()
        read, written = round(calls * (QUESTION_TOKENS + row)), round(calls * row)
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return super().estimate(pool) + Cost(calls=calls, tokens=read + written, usd=usd)

    def unpriced(self) -> str:
        """What each further task costs: how many there are shows when the rows are read."""
        return (
            f"the choice of ways is priced for one task (a source with a first tag); each further one asks "
            f"{self.setup_calls()} questions more, at most"
        )

    def rehearsed(self) -> Proposer:
        """One that has chosen nothing yet."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields})

    def propose(self, demand: Demand) -> list[Proposal]:
        writer = client_for(self.model)
        return self.propose_between(writer, client_for(self.verifier) if self.verifier else writer, demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        return self.propose_between(client, client, demand)

    def propose_between(self, writer: Asks, checker: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        every = {row["id"]: row for row in demand.every or demand.seeds}
        labels = usual_labels([place_of(row) for row in every.values()])
        labels = labels if len(labels) <= min(MOST, max(2, len(every) / 4)) else []  # many short answers are no labels
        judge = ByModel(checker, labels, self.about, CHECK, Sampling(0.0, 1.0, self.max_tokens))
        seeds = [seed_of(row, labels, self.max_chars) for row in demand.seeds]
        tasks: dict[tuple[str, str], list[Seed]] = {}
        for id in sorted(every):
            if isinstance(seed := seed_of(every[id], labels, self.max_chars), Seed):
                tasks.setdefault(kind_of(seed.row), []).append(seed)
        wanted = dict.fromkeys(kind_of(one.row) for one in seeds if isinstance(one, Seed))
        bills: dict[tuple[str, str], tuple[Reply, ...]] = {}
        if self._known != tuple(every):
            self._known, self._choices = tuple(every), {}
        for task in wanted:
            if task not in self._choices:
                self._choices[task] = self._choice(writer, judge, tasks[task])
                bills[task] = self._choices[task].replies
        asked: list[tuple[int, Seed, str]] = []
        found: dict[int, Proposal] = {}
        for i, (one, turn) in enumerate(zip(seeds, demand.turns, strict=True)):
            choice = self._choices[kind_of(one.row)] if isinstance(one, Seed) else Choice()
            if isinstance(one, str) or choice.why:
                found[i] = without(one if isinstance(one, str) else choice.why, demand.seeds[i])
            else:
                asked.append((i, one, choice.ways[turn % min(self.best, len(choice.ways))][0]))
        made = self._applied(writer, judge, [(one, way, demand.turns[i]) for i, one, way in asked])
        found |= {i: one for (i, _, _), one in zip(asked, made, strict=True)}
        for i, one in enumerate(seeds):
            bill = bills.pop(kind_of(one.row), ()) if isinstance(one, Seed) else ()
            found[i] = replace(found[i], replies=(*bill, *found[i].replies)) if bill else found[i]
        return [found[i] for i in range(len(seeds))]

    def _choice(self, writer: Asks, judge: ByModel, seeds: Sequence[Seed]) -> Choice:
        """The ways of a task, in the order of their worth there."""
        draw = np.random.default_rng(int(seeds[0].row["id"][:12], 16)).permutation(len(seeds))
        shown = [seeds[k].text for k in draw[:SHOWN].tolist()]
        ways, why, replies = written(writer, self.writing, self.ways, shown, self.sampling)
        if not ways:
            return Choice(why=why, replies=tuple(replies))
        if self.select == "model":
            scores, paid = graded(writer, self.grading, shown, ways, Sampling(0.0, 1.0, self.max_tokens))
        else:
            scores, paid = self._tried(writer, judge, [seeds[k] for k in draw[: self.tries].tolist()], ways)
        replies += paid
        order = sorted(range(len(ways)), key=lambda k: (-scores[k], k))
        if not scores[order[0]]:
            return Choice(why=f"{NO_WAY}: none of them kept what the texts say", replies=tuple(replies))
        return Choice(tuple((ways[k], scores[k]) for k in order), replies=tuple(replies))

    def _tried(self, writer: Asks, judge: ByModel, rows: Sequence[Seed], ways: Sequence[str]) -> Scored:
        """The share of texts that pass; another draw of the model than those that are written from these rows."""
        tried = self._applied(writer, judge, [(one, way, TRIAL) for way in ways for one in rows])
        good = [one.row is not None for one in tried]
        scores = [sum(good[k * len(rows) : (k + 1) * len(rows)]) / len(rows) for k in range(len(ways))]
        return scores, [reply for one in tried for reply in one.replies]

    def _applied(self, writer: Asks, judge: ByModel, work: Sequence[tuple[Seed, str, int]]) -> list[Proposal]:
        """The other text of each seed in its way as a row, or why it is none."""
        asked = [
            question(self.instructions, {"text": one.text, "way": way}, ASK, self.sampling, turn)
            for one, way, turn in work
        ]
        made: list[Proposal] = []
        for (one, way, _), answer in zip(work, ask_for(writer, asked, Augmented), strict=True):
            text = answer.value.text.strip() if answer.value is not None else ""
            why = failure(answer) if answer.value is None else one.fault(text)
            one_made = without(why, one.row, replies=answer.replies)
            one_made = one_made if why else one.proposal(text, self.name, answer.replies)
            made.append(replace(one_made, facts={"way": way}, shown=(str(self.instructions), way)))
        checked = [i for i, one in enumerate(made) if one.row is not None and work[i][0].label]
        said = judge.says([("", work[i][0].text_in(made[i].row)) for i in checked])
        for i, verdict in zip(checked, said, strict=True):
            why = verdict.why or ("" if same(verdict.label, work[i][0].label) else LOST)
            row = None if why else made[i].row
            made[i] = replace(made[i], row=row, failure=why, replies=(*made[i].replies, *verdict.replies))
        return made

    def told(self) -> dict[str, Any]:
        """The ways of each task with their scores, best first."""
        return {
            "ways": {
                " / ".join(filter(None, task)): [{"way": way, "score": round(score, 3)} for way, score in one.ways]
                for task, one in self._choices.items()
            }
        }

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many texts were written in each way, and how many became rows."""
        written = Counter(str(p.facts["way"]) for p, _ in came if "way" in p.facts)
        kept = Counter(str(p.facts["way"]) for p, why in came if "way" in p.facts and not why)
        return {"by_way": {way: {"written": written[way], "rows": kept[way]} for way in sorted(written)}}
