"""Tail oversampling: one more row of a label, written after rows of that label and unlike any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.label_checks import CHECK, ByModel
from dataflywheel.proposing.labelled_texts import (
    Place,
    frames,
    kind_of,
    place_of,
    relabelled,
    same,
    usual_labels,
)  # fmt: skip
from dataflywheel.proposing.seeds import is_made
from dataflywheel.rows.schema import Row
from dataflywheel.signals.words.rouge import indexed
from dataflywheel.signals.words.shingles import word_hashes

INSTRUCTIONS = (
    "The material is texts that have one label, and the label. Write one more text that has it beyond doubt and that "
    "could stand among them: the same kind, language, tone and about the same length. It must be about something else "
    "than each of them: other facts, names and words, and no sentence of theirs. Do not name the label."
)
ASK = "Write one more `text` of this label."
MADE, COPY, OTHER = (
    "a generated row is no example",
    "near-copy of a row that is there",
    "the checker finds another label",
)
Around = dict[tuple[str, str], tuple[str, str]]


class Written(Form):
    """One more text."""

    text: str = Field(min_length=1)


class TailOversampling(Instructed, AskingProposer):
    """Each visit of a labelled row shows it and `shown` - 1 real rows of its label, drawn anew, and asks for one more
    text of the label. What all texts of a source and tag begin and end with is not shown, and stands around the new
    text as well; label, tags and further fields are those of the row.

    A text is no row where it is near to any real or new one (ROUGE-L), or where the model, asked which label it has
    without being told, finds another (`check`). Texts that were made are never shown. With `fill: label` of `generate`
    the labels get as many rows as they lack.

    Reconstructed: the published study writes rows of the smaller class until the classes are equal; prompt and checks
    are ours.
    """

    card: ClassVar[Card] = Card(
        title="Synthetic Oversampling: Theory and A Practical Approach Using LLMs to Address Data Imbalance",
        authors="Nakada et al.",
        year=2024,
        paper="2406.03628",
        category="enhancement",
        subcategory="distribution",
        summary="Rows of rare labels, written after real ones, unlike any of them, until the labels are balanced.",
        needs=("endpoint",),
        cost="$",
        checked="news with two rare labels and a teacher that copies and errs at known rates; duplication, SMOTE",
        pays="A label with some dozens of rows beside others with thousands, of a subject that the model knows.",
        fails="A label with so few rows that they do not show what it is: new ones are the model's own idea of it.",
        evidence="Here, of 12 news items of each of two labels beside 300 of two others: macro-F1 0.33, duplicated and "
        "by SMOTE 0.36, a scripted teacher with real items, wrong in 15 %, 0.83; unchecked 0.80 (5 seeds).",
    )
    answered_in: ClassVar[type[Form] | None] = Written
    revisits: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"answer": (0, 100_000), "prompt": (0, 100_000), "complete": False}},
        "refusal",
        "prompt_leak",
    )

    shown: int = Field(default=5, ge=1, le=50)
    """Real rows of the label in one question."""
    most_alike: float = Field(default=0.7, gt=0, le=1)
    """ROUGE-L with another row from which a text is a copy of it."""
    check: Literal["model", "none"] = "model"
    """Who says which label a new text has; `none` trusts the writer."""
    verifier: ModelSpec | None = None
    """Another model for that."""
    about: str = ""
    """What the labels say of a text, for both models: `which part of the paper the item is from`."""
    max_chars: int = Field(default=6000, ge=20)
    """Longer texts are not shown."""
    instructions: Instructions = INSTRUCTIONS
    """What the writer is told to do."""
    question_of_check: Instructions = CHECK
    """What the checker is told to do."""

    def calls_a_seed(self) -> float:
        return 1.0 if self.check == "none" else 2.0

    def place(self, row: Row) -> Place | str:
        """Where the text and the label of a row are, or why it has none."""
        return MADE if is_made(row) else place_of(row)

    def unfit(self, seed: Row) -> str:
        place = self.place(seed)
        return f"not written from, {place}" if isinstance(place, str) else ""

    def rehearsed(self) -> Proposer:
        return _Rehearsed(**{name: getattr(self, name) for name in type(self).model_fields})

    def propose(self, demand: Demand) -> list[Proposal]:
        writer = client_for(self.model)
        return self.propose_between(writer, client_for(self.verifier) if self.verifier else writer, demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        return self.propose_between(client, client, demand)

    def propose_between(self, writer: Asks, checker: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        every = [*{row["id"]: row for row in demand.every or demand.seeds}.values()]
        places = [self.place(row) for row in every]
        around, labels = frames(every, places), usual_labels(places)
        groups: dict[str, list[tuple[str, str]]] = {}
        for row, place in zip(every, places, strict=True):
            if isinstance(place, Place) and len(body := _body(row, place, around)) <= self.max_chars:
                groups.setdefault(place.label.casefold(), []).append((row["id"], body))
        own = [self.place(seed) for seed in demand.seeds]
        fit = [i for i, place in enumerate(own) if isinstance(place, Place)]
        asked = [
            self._question(demand.seeds[i], place, _body(demand.seeds[i], place, around), groups, demand, i)
            for i in fit
            if isinstance(place := own[i], Place)
        ]
        answers = dict(zip(fit, ask_for(writer, asked, Written), strict=True))
        made = [
            self._read(seed, place, answers[i], around)
            if isinstance(place := own[i], Place)
            else without(f"not written from, {place}", seed)
            for i, seed in enumerate(demand.seeds)
        ]
        made = self._without_copies(
            made, [text for group in groups.values() for text in group], demand.accepted, around
        )
        return made if self.check == "none" else self._checked(checker, made, own, labels, around)

    def _question(
        self, seed: Row, place: Place, text: str, groups: dict[str, list[tuple[str, str]]], demand: Demand, i: int
    ) -> Request:
        """The seed first, then others of its label, drawn by the seed and its visit alone."""
        others = [body for id, body in sorted(groups.get(place.label.casefold(), [])) if id != seed["id"]]
        draw = np.random.default_rng([int(seed["id"][:12], 16), demand.turns[i]])
        drawn = [others[k] for k in draw.permutation(len(others))[: self.shown - 1].tolist()]
        meaning = {"what labels say": self.about} if self.about else {}
        texts = {f"text {n}": one.strip() for n, one in enumerate([text[: self.max_chars], *drawn], 1)}
        return question(
            self.instructions, {**meaning, **texts, "label": place.label}, ASK, self.sampling, demand.turns[i]
        )

    def _read(self, seed: Row, place: Place, answer: Answer[Written], around: Around) -> Proposal:
        if answer.value is None:
            return failed(answer, seed)
        text = answer.value.text.strip()
        if not text:
            return without("malformed: an empty text", seed, replies=answer.replies)
        start, end = around.get(kind_of(seed), ("", ""))
        row = relabelled(seed, place, f"{start}{text}{end}", place.label, self.name)
        facts = {"label": place.label}
        return Proposal((seed["id"],), row, shown=(str(self.instructions),), facts=facts, replies=answer.replies)

    def _without_copies(
        self, made: list[Proposal], real: list[tuple[str, str]], accepted: Sequence[Row], around: Around
    ) -> list[Proposal]:
        """Without those that are near to a real row, to one accepted before, or to one before them."""
        there = [*real, *((row["id"], self._text(row, around)) for row in accepted)]
        new = {i: self._text(one.row, around) for i, one in enumerate(made) if one.row is not None}
        hashes, offsets = word_hashes([*(text for _, text in there), *new.values()])
        known = indexed(
            [id for id, _ in there], hashes[: offsets[len(there)]], offsets[: len(there) + 1], self.most_alike
        )
        for k, i in enumerate(new, len(there)):
            words = known.words(hashes[offsets[k] : offsets[k + 1]])
            near = known.above(words)
            known.add(f"new {i}", words)
            if near is not None:
                why = f"{COPY}: ROUGE-L {near[1]:.2f}"
                made[i] = replace(made[i], row=None, failure=why)
        return made

    def _checked(
        self, checker: Asks, made: list[Proposal], own: Sequence[Place | str], labels: Sequence[str], around: Around
    ) -> list[Proposal]:
        judge = ByModel(checker, labels, self.about, self.question_of_check, Sampling(0.0, 1.0, self.max_tokens))
        asked = {i: self._text(one.row, around) for i, one in enumerate(made) if one.row is not None}
        for i, said in zip(asked, judge.says([("", text) for text in asked.values()]), strict=True):
            place = own[i]
            assert isinstance(place, Place)
            why = said.why or ("" if same(said.label, place.label) else OTHER)
            made[i] = replace(made[i], replies=(*made[i].replies, *said.replies))
            if why:
                made[i] = replace(made[i], row=None, failure=why)
        return made

    def _text(self, row: Row, around: Around) -> str:
        place = place_of(row)
        return _body(row, place, around) if isinstance(place, Place) else ""

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """Of each label how many texts were asked for, became rows, and were near-copies."""
        asked = Counter(str(p.facts["label"]) for p, _ in came if "label" in p.facts)
        kept = Counter(str(p.facts["label"]) for p, why in came if "label" in p.facts and not why)
        copies = Counter(str(p.facts["label"]) for p, why in came if "label" in p.facts and why.startswith(COPY))
        return {"labels": {n: {"written": asked[n], "rows": kept[n], "near_copies": copies[n]} for n in sorted(asked)}}


class _Rehearsed(TailOversampling):
    """One to whom every row with a question has the same label."""

    def place(self, row: Row) -> Place | str:
        found = [i for i, turn in enumerate(row["messages"]) if turn["role"] == "user"]
        return Place(found[-1], "a label", False)


def _body(row: Row, place: Place, around: Around) -> str:
    whole, (start, end) = row["messages"][place.turn]["content"], around.get(kind_of(row), ("", ""))
    return whole[len(start) : len(whole) - len(end)]
