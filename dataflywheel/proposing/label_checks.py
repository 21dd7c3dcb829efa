"""Which label a text has, by a model that is told neither the one that it had nor the one that it is to have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.label_classifier import Verdict
from dataflywheel.proposing.labelled_texts import core

CHECK = (
    "The material is a text and the labels that it may have. Look in `analysis` at what speaks for each, then give in "
    "`label` the one that fits best, spelt as in the list."
)
ASK = "Which label has the text? Write `analysis`, and then `label`: one of the list."


class Found(Form):
    """Which label a text has, said after a look at it."""

    analysis: str = words(800)
    label: str = Field(min_length=1, max_length=200)


class ByModel:
    """A model that reads a text and the list of labels. `about` says what labels are of, where that is known."""

    lacks = ""

    def __init__(self, client: Asks, labels: Sequence[str], about: str, instructions: str, sampling: Sampling) -> None:
        self.client, self.labels, self.about = client, labels, about
        self.instructions, self.sampling = instructions, sampling

    def says(self, texts: Sequence[tuple[str, str]]) -> list[Verdict]:
        """What it finds of each text, given with what it was made from."""
        known = {core(label).casefold() for label in self.labels}

        def check(_: int, value: Found) -> str:
            return "" if core(value.label).casefold() in known else f"{value.label[:60]!r} is no label of the list"

        answers = ask_for(self.client, [self._question(text) for _, text in texts], Found, check)
        return [
            Verdict("", failure(one), one.replies) if one.value is None else Verdict(one.value.label, "", one.replies)
            for one in answers
        ]

    def _question(self, text: str) -> Request:
        """The labels in an order that depends on the text alone, so that none is always the first."""
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        order = np.random.default_rng(int(digest[:8], 16)).permutation(len(self.labels))
        meaning = {"what labels say": self.about} if self.about else {}
        material = {**meaning, "text": text.strip(), "labels": "\n".join(self.labels[i] for i in order)}
        return question(self.instructions, material, ASK, self.sampling)
