"""Fluency: a rewritten text reads no worse, to a language model, than the one that it replaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, FloatArray, Status
from dataflywheel.models.language.language_model import LanguageModel, shared_model
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import answer_said, part_of


class Fluent(Gate):
    """Rejects a rewrite of which the prompt or the answer costs the model more than `most` times the bits a byte of
    what stood there before, each as a text by itself.

    What was cut out, masked or run together is more surprising than what a person would write. New rows replace nothing
    and pass. A text that does not fit the model's context is not judged, and not accepted. The better the model, the
    surer the gate: one of a million weights, trained on such texts, rejects 3 % of 300 human rewrites of toxic texts,
    43 % of them with their words scrambled, 14 % with a quarter of the words deleted and 77 % with that masked.
    """

    card: ClassVar[Card] = Card(
        title="ParaDetox: Detoxification with Parallel Data",
        authors="Logacheva et al.",
        year=2022,
        paper="10.18653/v1/2022.acl-long.469",
        category="proposing",
        subcategory="gates",
        summary="Rejects rewrites that read worse to a language model than what they replace.",
        needs=("model",),
        cost="$",
        checked="300 human rewrites of toxic texts, against the same with words scrambled, deleted and masked",
        pays="Masking, deleting and small rewriters, whose texts may no longer read as language, with a scorer at "
        "hand.",
        fails="A small model forgives deleted words, and a good text in a rarer style costs it more bits: take a "
        "larger scorer, and raise `most`.",
        evidence="Here, in the gate's own trial, read by a model of a million weights: of 300 rewrites by people 3 % "
        "are rejected, with words scrambled 43 %, a quarter of the words deleted 14 %, and masked 77 %.",
    )

    model: ModelSpec
    """The model that reads; the recipe's scorer unless one is named."""
    most: float = Field(default=1.15, ge=1)
    """Largest ratio of the bits a byte after to those before."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        pairs = [_changed(proposal) for proposal in proposals]
        texts = [text for pair in pairs for both in pair for text in both]
        bits = iter(bits_a_byte(shared_model(self.model), texts).tolist() if texts else [])
        return [self._one([(next(bits), next(bits)) for _ in pair]) for pair in pairs]

    def _one(self, pairs: Sequence[tuple[float, float]]) -> Check:
        """The check of one row, by the bits before and after of each changed part."""
        if any(math.isnan(bits) for pair in pairs for bits in pair):
            return Check(False, "fluency not measured", "a text does not fit the model's context")
        ratio = max((after / before for before, after in pairs if before > 0), default=0.0)
        facts = {"fluency": ratio} if ratio else {}
        if ratio > self.most:
            return Check(False, "less fluent", f"{ratio:.2f} times the bits a byte", facts)
        return Check(True, facts=facts) if facts else PASSED


def _changed(proposal: Proposal) -> list[tuple[str, str]]:
    """What stood before and stands now, of the prompt and of the answer, where they differ."""
    if proposal.row is None or proposal.before is None:
        return []
    both = zip(_parts(proposal.before), _parts(proposal.row), strict=True)
    return [(old, new) for old, new in both if old.strip() and new.strip() and old != new]


def _parts(row: Row) -> tuple[str, str]:
    return part_of(row["messages"], "prompt"), answer_said(row["messages"])


def bits_a_byte(model: LanguageModel, texts: Sequence[str]) -> FloatArray:
    """Bits that the model needs for a byte of each text as a document of its own; NaN for one that does not fit."""
    rows = model.encode([[message("assistant", text)] for text in texts])
    whole = np.array([row.ended or row.status != Status.TRUNCATED for row in rows], dtype=bool)
    size = np.array([len(text.encode()) for text in texts], dtype=float)
    bits: FloatArray = np.where(whole, model.answer_scores(rows).total / math.log(2) / size, np.nan)
    return bits
