"""Counterfactual edits: a labelled text with the few words changed that give it another label."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card
from dataflywheel.enhancement.toxicity.minimal_edit import Kept, Work
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.label_checks import CHECK, ByModel
from dataflywheel.proposing.label_classifier import LabelClassifier, LabelledText
from dataflywheel.proposing.labelled_texts import (
    Place,
    frames,
    kind_of,
    place_of,
    same,
    usual_labels,
)  # fmt: skip
from dataflywheel.rows.schema import Row

INSTRUCTIONS = (
    "The material is a text, the label that it has, and another label. Change as few words of the text as give it the "
    "other label beyond doubt; everything else stays letter for letter, in the language of the text. First say in "
    "`changes` which words carry the label and what will stand there. Do not name a label in the text, and add no "
    "remark. Example: `The soup was cold and nobody smiled.`, from negative to positive, becomes `The soup was hot and "
    "everybody smiled.`"
)
ASK = "Which few words give the text the other label? Write `changes`, and then the whole changed `text`."
PLAYED = ("fine", "poor")
"""Labels of rows that are made up."""
NOT_FLIPPED = "label not flipped: the checker finds another one"
DOUBTED = "the checker takes the old text for another label"


class Edited(Form):
    """A text after the edit."""

    changes: str = words(800)
    text: str = Field(min_length=1)


Works = dict[int, Work]
Step = dict[int, tuple[Work, str, tuple[Reply, ...]]]
"""Of each seed its work, why nothing comes of it, or "", and what was asked."""


class CounterfactualEdits(Instructed, AskingProposer):
    """New rows beside the old: the text of a labelled row with so few words changed that it has another label. The
    label is the row's own, or its answer where that is one of a few short ones. Each visit goes on to the next label.

    An edit counts where a checker that sees neither label says the new one, and said the old one of the old text. The
    checker is `verifier`, or with `check: classifier` one that is trained on the rows themselves, each text judged by
    one that never saw it. At most the share `most` of the words may be changed, code, links and options stay, and so
    does what all texts of a source and tag begin and end with: what is asked of them.

    Reconstructed: in the published data people edit; prompt, bound and checks are ours.
    """

    card: ClassVar[Card] = Card(
        title="Learning the Difference that Makes a Difference with Counterfactually-Augmented Data",
        authors="Kaushik et al.",
        year=2019,
        paper="1909.12434",
        category="enhancement",
        subcategory="toxicity",
        summary="Labelled texts with the few words changed that flip the label, checked by one who sees neither label.",
        needs=("endpoint",),
        cost="$",
        checked="the edits of people on film reviews, paraphrases that keep the label, and a scripted editor that errs",
        pays="Labels that a model tells by words that merely go along with them: sentiment, toxicity, entailment.",
        fails="Labels of subject, which no few words change; a checker that errs as the editor does confirms it.",
        evidence="Here, on 877 pairs of film reviews, a checker of their own words took 69 % of people's edits and 5 % "
        "of rewordings; as many rows in pairs gave both sides right in 62 % of others, single texts in 56 % (5 seeds).",
    )
    answered_in: ClassVar[type[Form] | None] = Edited
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"answer": (0, 100_000), "prompt": (0, 100_000), "complete": False}},
        "prompt_leak",
    )

    verifier: ModelSpec | None = None
    """Who says which label a text has; None: `model`, which sees neither label when it is asked."""
    check: Literal["model", "classifier"] = "model"
    """`classifier`: a logistic regression of the rows' own words in place of a model; 20 rows of each label."""
    labels: tuple[str, ...] = ()
    """All labels; empty: those that two rows or more have."""
    about: str = ""
    """What the labels say of a text, for both models: `whether the reviewer liked the film`."""
    most: float = Field(default=0.3, gt=0, le=1)
    """Words changed, at most, as a share of the longer text's; two may be changed in any. 95 % of the edits of people
    on film reviews are below the default."""
    keep: tuple[Kept, ...] = ("code", "links", "options")
    """What no edit may change. Numbers and names may carry a label: `2 of 10`, `Avoid`."""
    max_chars: int = Field(default=8000, ge=20)
    """Longer texts are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the editor is told to do."""
    question_of_check: Instructions = CHECK
    """What the checker is told to do."""

    _classifiers: dict[tuple[str, ...], LabelClassifier] = PrivateAttr(default_factory=dict)

    def calls_a_seed(self) -> float:
        return 3.0 if self.check == "model" else 1.0

    def place(self, row: Row) -> Place | str:
        """Where the text and the label of a row are, or why it has none."""
        return place_of(row)

    def rehearsed(self) -> Proposer:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return _Rehearsed(**{**given, "labels": self.labels or PLAYED})

    def propose(self, demand: Demand) -> list[Proposal]:
        editor = client_for(self.model)
        return self.propose_between(editor, client_for(self.verifier) if self.verifier else editor, demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        return self.propose_between(client, client, demand)

    def propose_between(self, editor: Asks, checker: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        every = demand.every or demand.seeds
        places = [self.place(row) for row in every]
        labels, around = list(self.labels) or usual_labels(places), frames(every, places)
        works = [self._work(*one, labels, around) for one in zip(demand.seeds, demand.turns, strict=True)]
        found = {i: without(one, demand.seeds[i]) for i, one in enumerate(works) if isinstance(one, str)}
        left = {i: one for i, one in enumerate(works) if isinstance(one, Work)}
        judge: ByModel | LabelClassifier = ByModel(
            checker, labels, self.about, self.question_of_check, Sampling(0.0, 1.0, self.max_tokens)
        )
        if self.check == "classifier" and left:
            judge = self._classifier(every, places, around)
            if judge.lacks:
                found |= {i: without(f"not checked, {judge.lacks}", one.seed) for i, one in left.items()}
                left = {}
        bills: dict[int, tuple[Reply, ...]] = dict.fromkeys(left, ())
        checks = [partial(self._judged, judge, new) for new in (False, True)]
        for step in (checks[0], partial(self._edits, editor, demand.turns), checks[1]):
            for i, (one, why, replies) in step(left).items():
                bills[i] = (*bills[i], *replies)
                left[i] = one
                if why:
                    found[i] = self._told(without(why, one.seed, replies=bills[i]), left.pop(i))
        for i, one in left.items():
            found[i] = self._told(one.proposal(self.name, str(self.instructions), bills[i]), one)
        return [found[i] for i in range(len(works))]

    def _judged(self, judge: ByModel | LabelClassifier, new: bool, works: Works) -> Step:
        """Of each old text whether the checker finds its own label in it; of each `new` one, whether the other."""
        said = judge.says([(one.root, one.new if new else one.text) for one in works.values()])
        found: Step = {}
        for (i, one), (label, why, replies) in zip(works.items(), said, strict=True):
            right = same(label, one.to if new else one.place.label)
            found[i] = (one, why or ("" if right else NOT_FLIPPED if new else DOUBTED), replies)
        return found

    def _edits(self, editor: Asks, turns: Sequence[int], works: Works) -> Step:
        """Of each seed the edited text, or why that is none."""
        found: Step = {}
        answers = ask_for(editor, [self._edit(one, turns[i]) for i, one in works.items()], Edited)
        for (i, one), answer in zip(works.items(), answers, strict=True):
            text = answer.value.text.strip() if answer.value is not None else ""
            why = failure(answer) if answer.value is None else one.fault(text, self.most, self.keep)
            found[i] = (replace(one, new=text), why, answer.replies)
        return found

    def _work(
        self, row: Row, turn: int, labels: Sequence[str], around: dict[tuple[str, str], tuple[str, str]]
    ) -> Work | str:
        place = self.place(row)
        if isinstance(place, str):
            return f"not edited, {place}"
        others = [label for label in labels if not same(label, place.label)]
        if not others or len(others) == len(labels):
            return "not edited, no other label" if not others else "not edited, a label that no other row has"
        whole = row["messages"][place.turn]["content"]
        start, end = around.get(kind_of(row), ("", ""))
        text = whole[len(start) : len(whole) - len(end)]
        if not text.strip() or len(text) > self.max_chars:
            return "not edited, too long" if text.strip() else "not edited, no text"
        first = int(hashlib.sha256(row["id"].encode()).hexdigest()[:8], 16)
        return Work(row, place, text, (start, end), others[(first + turn) % len(others)])

    def _edit(self, one: Work, turn: int) -> Request:
        meaning = {"what labels say": self.about} if self.about else {}
        material = {**meaning, "text": one.text, "label": one.place.label, "other label": one.to}
        return question(self.instructions, material, ASK, self.sampling, turn)

    def _told(self, proposal: Proposal, one: Work | str) -> Proposal:
        if isinstance(one, str):
            return proposal
        return replace(proposal, facts={**proposal.facts, "from": one.place.label, "to": one.to})

    def _classifier(
        self, rows: Sequence[Row], places: Sequence[Place | str], around: dict[tuple[str, str], tuple[str, str]]
    ) -> LabelClassifier:
        key = tuple(row["id"] for row in rows)
        if key not in self._classifiers:
            texts = []
            for row, place in zip(rows, places, strict=True):
                if isinstance(place, Place):
                    whole, (start, end) = row["messages"][place.turn]["content"], around.get(kind_of(row), ("", ""))
                    root = row["parents"][0] if row["parents"] else row["id"]
                    body = whole[len(start) : len(whole) - len(end)]
                    texts.append(LabelledText(root, body, place.label.casefold()))
            rare = {label for label, count in Counter(one.label for one in texts).items() if count < 2}
            self._classifiers[key] = LabelClassifier([one for one in texts if one.label not in rare])
        return self._classifiers[key]

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many edits became rows from each label to each other one, of how many tried."""
        tried = Counter(f"{p.facts['from']} to {p.facts['to']}" for p, _ in came if "to" in p.facts)
        kept = Counter(f"{p.facts['from']} to {p.facts['to']}" for p, why in came if "to" in p.facts and not why)
        shares = [float(p.facts["changed"]) for p, why in came if not why and "changed" in p.facts]
        told: dict[str, Any] = {"flips": {name: {"tried": tried[name], "kept": kept[name]} for name in sorted(tried)}}
        return {**told, "words_changed": round(float(np.median(shares)), 4)} if shares else told


class _Rehearsed(CounterfactualEdits):
    """One to whom rows with a question have one of two labels in turn, and who doubts none."""

    def place(self, row: Row) -> Place | str:
        found = [i for i, turn in enumerate(row["messages"]) if turn["role"] == "user"]
        return Place(found[-1], PLAYED[len(row["messages"][found[-1]]["content"]) % 2], False)

    def _judged(self, judge: ByModel | LabelClassifier, new: bool, works: Works) -> Step:
        return {
            i: (one, why if new else "", bill) for i, (one, why, bill) in super()._judged(judge, new, works).items()
        }
