"""RADA: rows for a small domain, written about what is near to it in other data sets."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import AnyArray, Card, FloatArray, build
from dataflywheel.enhancement.distribution.other_rows import (
    OtherFiles,
    OtherRows,
    likeness_by_words,
    nearest,
    read_other_rows,
)
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer, Surroundings
from dataflywheel.proposing.rewritten import unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.words.rouge import indexed
from dataflywheel.signals.words.shingles import text_keys, word_hashes

INSTRUCTIONS = (
    "The material is examples of tasks with their answers, and a context. The example that is wanted is of the domain "
    "for which rows are lacking; the others are from elsewhere and near to it. Write one new example as if it stood "
    "beside the wanted one: a task of its kind, in its language, its form and about its length, on what the context "
    "deals with. The task must be complete by itself: what it needs of the context stands in it, and no context is "
    "spoken of. Copy no example. The answer is right and whole, and has the form of the wanted one's."
)
ASK = "Write the `prompt` of the new example, and then its `answer`."
NONE_NEAR = "no row of another data set is near to it"
NO_MORE = "every row near to it was a context before"
COPY = "copy of an example that was shown"


class Example(Form):
    """A new example."""

    prompt: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Rada(Instructed, AskingProposer):
    """For each seed the rows of `others` are found whose questions are nearest to its own. Each visit takes the next of
    them as the context of a new row; the seed and `shown` more of them, drawn from those that are near, are its
    demonstrations. So what is written has the seed's form, and subjects that the seeds do not have.

    A file that holds the seed itself is passed over for it, and a row that gives away an evaluation row, by its words,
    is never shown. A new row whose question is nearly that of a demonstration, or the context's own, is dropped.
    Reconstructed: this is the paper's form for training rows, of which no code is known; prompt and rules are ours.
    """

    card: ClassVar[Card] = Card(
        title="Retrieval-Augmented Data Augmentation for Low-Resource Domain Tasks",
        authors="Seo et al.",
        year=2024,
        paper="2402.13482",
        category="enhancement",
        subcategory="distribution",
        summary="New rows in a seed's form on what is near to it in other data sets, found by meaning or by words.",
        needs=("endpoint", "embedder"),
        cost="$",
        checked="a scripted writer that mixes the words it is shown: dispersion and centroid beside writing from seeds "
        "alone; planted evaluation rows and the seeds' own file are never retrieved",
        pays="Some dozens of rows of a narrow domain, and larger data sets of neighbouring ones.",
        fails="Other data sets that are far away: what is near to a seed is then near by chance, and rows drift; lower "
        "`contexts`, and look at `flywheel diff --drift`.",
        evidence="Here, a script that mixes the words it is shown, 40 questions to a bank beside 7,500 to an "
        "assistant: dispersion 0.804, from seeds alone 0.789, centroids 0.115 and 0.085 away from the seeds'. What "
        "training on such rows is worth was not measured here.",
    )
    name: ClassVar[str] = "rada"
    answered_in: ClassVar[type[Form] | None] = Example
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")

    others: OtherFiles
    """Files of rows of other data sets than the pool's and the target's."""
    by: Literal["embedding", "bm25"] = "embedding"
    """What is near: by meaning, or by rare words that both have, for which no model is needed."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What meaning is measured with."""
    contexts: int = Field(default=10, ge=1, le=200)
    """Rows that are near to a seed, of which each is the context of one visit, the nearest first."""
    shown: int = Field(default=3, ge=0, le=20)
    """Rows that are shown as demonstrations beside the seed, drawn from those that are near."""
    most_alike: float = Field(default=0.8, gt=0, le=1)
    """ROUGE-L with the question of a demonstration over which the new one is a copy."""
    max_chars: int = Field(default=8000, ge=100)
    """Longer rows are neither written from nor shown."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
    _clean: dict[str, AnyArray] = PrivateAttr(default_factory=dict)
    _vectors: dict[str, FloatArray] = PrivateAttr(default_factory=dict)
    _told: Counter[str] = PrivateAttr(default_factory=Counter)

    def ready(self) -> None:
        read_other_rows(self.others)

    def leans_on(self) -> str:
        state = hashlib.blake2b(digest_size=8)
        for path in self.others:
            with path.open("rb") as file:
                state.update(hashlib.file_digest(file, "blake2b").digest())
        return state.hexdigest()

    def unfit(self, seed: Row) -> str:
        return unfit(seed, self.max_chars).replace("not rewritten", "not written from")

    def rehearsed(self) -> Proposer:
        """Rows are found by their words, so that no embedder is loaded."""
        return self.model_copy(update={"by": "bm25"})

    def told(self) -> dict[str, Any]:
        return {"rows retrieved, by file": dict(self._told)} | {
            "rows of other files": {
                "left out, they give away evaluation rows": int(sum((~clean).sum() for clean in self._clean.values())),
                "not read, no question with an answer": read_other_rows(self.others).unread,
            }
        }

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        held = read_other_rows(self.others)
        why = {i: reason for i, seed in enumerate(demand.seeds) if (reason := self.unfit(seed))}
        asked = [i for i in range(len(demand.seeds)) if i not in why]
        near = dict(zip(asked, self._near([demand.seeds[i] for i in asked], held, demand.target), strict=True))
        shown: dict[int, tuple[Row, list[Row]]] = {}
        for i in asked:
            turn, places = demand.turns[i], near[i]
            if turn >= len(places):
                why[i] = NO_MORE if places else NONE_NEAR
                continue
            rest = [k for k in places if k != places[turn]]
            drawn = sorted(demand.rng.permutation(len(rest))[: self.shown].tolist())
            shown[i] = held.rows[places[turn]], [held.rows[rest[k]] for k in drawn]
            self._told.update(held.names[min(held.files[k])] for k in (places[turn], *(rest[k] for k in drawn)))
        questions = [self._question(demand.seeds[i], *shown[i]) for i in shown]
        answers = dict(zip(shown, ask_for(client, questions, Example), strict=True))
        return [
            self._read(seed, *shown[i], answers[i]) if i in answers else without(why[i], seed)
            for i, seed in enumerate(demand.seeds)
        ]

    def _near(self, seeds: Sequence[Row], held: OtherRows, target: Path | None) -> list[list[int]]:
        """For each seed the places of the rows that are near, of files that do not hold it."""
        if not seeds:
            return []
        own = [held.of(seed) for seed in seeds]
        fits = np.array([len(part_of(row["messages"], "all")) <= self.max_chars for row in held.rows])
        apart = np.array([[not of <= mine for of in held.files] for mine in own])
        asked = [part_of(seed["messages"], "prompt") for seed in seeds]
        if self.by == "bm25":
            scores = likeness_by_words(asked, held.texts)
        else:
            key = f"{id(held)}"
            if key not in self._vectors:
                self._vectors = {key: held.vectors(self.embedder)}
            scores = np.nan_to_num(embed_texts(self.embedder, asked)[0]) @ self._vectors[key].T
        return nearest(scores, apart & (fits & self._without_target(held, target))[None, :], self.contexts)

    def _without_target(self, held: OtherRows, target: Path | None) -> AnyArray:
        """Which rows give away no evaluation row (n,): by their words, of which none counts as common."""
        key = f"{id(held)}:{target}"
        if key not in self._clean:
            gate, rows = build(Contamination, {"semantic": None}), [Proposal((), row) for row in held.rows]
            checks = gate.check(rows, Surroundings(target=target)) if target is not None else None
            passed = [check.passed for check in checks] if checks is not None else [True] * len(rows)
            self._clean = {key: np.array(passed, bool)}
        return self._clean[key]

    def _question(self, seed: Row, context: Row, beside: Sequence[Row]) -> Request:
        material = {f"wanted {part}": part_of(seed["messages"], part) for part in ("prompt", "answer")}
        for number, row in enumerate(beside, 1):
            material |= {f"other {part} {number}": part_of(row["messages"], part) for part in ("prompt", "answer")}
        material["context"] = part_of(context["messages"], "all")
        return question(self.instructions, material, ASK, self.sampling)

    def _read(self, seed: Row, context: Row, beside: Sequence[Row], answer: Answer[Example]) -> Proposal:
        if answer.value is None:
            return failed(answer, seed)
        prompt, said = answer.value.prompt.strip(), answer.value.answer.strip()
        if not prompt or not said:
            return without("malformed: an empty prompt or answer", seed, replies=answer.replies)
        asked = [part_of(row["messages"], "prompt") for row in (seed, *beside)]
        new, old = text_keys([prompt, part_of(context["messages"], "prompt")])
        words, offsets = word_hashes([*asked, prompt])
        ids = [row["id"] for row in (seed, *beside)]
        known = indexed(ids, words[: offsets[-2]], offsets[:-1], self.most_alike)
        alike = known.above(known.words(words[offsets[-2] :]))
        if alike is not None or (new is not None and new == old):
            return without(f"{COPY}: ROUGE-L {alike[1] if alike else 1:.2f}", seed, replies=answer.replies)
        row = child(self.name, seed, prompt, said, [context, *beside])
        facts = {"context": context["id"]}
        return Proposal(
            tuple(row["parents"]), row, shown=(str(self.instructions),), facts=facts, replies=answer.replies
        )
