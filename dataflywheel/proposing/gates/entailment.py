"""Entailment: a rewrite says what the row said, by a classifier of natural language inference that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from dataflywheel.contracts import Card, Cost, FloatArray, PoolStatistics, UsageError
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.language.sequence_classifier import sequence_classifier
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said, part_of
from dataflywheel.signals.model.classifying import names_in, place_of

LABEL = "entailment"
Pair = tuple[str, str]
"""A premise and what is to follow from it."""


class Entailment(Gate):
    """Rejects a rewrite of which the prompt or the answer does not follow from what stood there before, or the other
    way round, by a classifier of pairs of texts (`hf`).

    `both` ways: nothing is lost and nothing is new. `forward`: the new text follows from the old one, so that nothing
    is new. `backward`: the old follows from the new, so that nothing is lost. With `of_source` the answer must follow
    from the text that the proposal rests on, where it has one. Of a text over `max_length` tokens nothing is known, and
    such a proposal is turned away undecided. New rows without a source pass.
    """

    card: ClassVar[Card] = Card(
        title="A large annotated corpus for learning natural language inference",
        authors="Bowman et al.",
        year=2015,
        paper="1508.05326",
        category="proposing",
        subcategory="gates",
        summary="Rejects rewrites that do not follow from what they replace, by a classifier of inference.",
        needs=("model",),
        cost="$",
        checked="a small classifier trained on made-up pairs: widened, narrowed and denied sentences, both ways; its "
        "logits by plain transformers",
        pays="Paraphrases in free words, which invariants turn away, with a classifier of inference in the rows' "
        "language at hand: two local passes a row.",
        fails="Such classifiers know pairs of sentences: long answers do not fit, and other kinds of text they were "
        "not trained for. Try it on rewrites of your own first, and keep `meaning` beside it.",
        evidence="Here, a classifier of two layers trained on made-up sentences: over 9 in 10 changes of a noun that "
        "it never saw are judged right, in either way; no published classifier was measured.",
    )

    hf: str
    """A folder or hub name of a sequence classifier of premise and hypothesis, in safetensors."""
    label: str | int = LABEL
    """Its label for what follows, by name or place."""
    ways: Literal["both", "forward", "backward"] = "both"
    """What must follow from what."""
    of_source: bool = False
    """Whether the answer must also follow from the proposal's source."""
    least: float = Field(default=0.5, gt=0, lt=1)
    """Least probability of the label."""
    max_length: int = Field(default=512, ge=8)
    """Tokens of a pair; never more than the model's own context."""
    batch: int = Field(default=32, ge=1)
    """Pairs that are read at once."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        folder = Path(self.hf).expanduser()
        if self.hf.startswith((".", "/", "~")) and not (folder / "config.json").exists():
            raise ValueError(f"hf: {self.hf} is not a model folder (no config.json); give a folder or a hub name")
        if (folder / "config.json").exists():
            try:
                self._place(names_in(folder / "config.json"))
            except UsageError as error:
                raise ValueError(str(error)) from None
        return self

    def model_digest(self) -> str:
        return folder_digest(resolve_folder(self.hf))

    def estimate(self, pool: PoolStatistics) -> Cost:
        passes = (2 if self.ways == "both" else 1) + self.of_source
        return Cost(forward=passes * pool.rows, tokens=2 * passes * pool.tokens)

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        pairs = [self._pairs(proposal) for proposal in proposals]
        found = iter(self._probabilities([pair for of in pairs for pair in of]).tolist())
        return [self._one([next(found) for _ in of]) for of in pairs]

    def _pairs(self, proposal: Proposal) -> list[Pair]:
        """What must follow from what."""
        if proposal.row is None:
            return []
        found: list[Pair] = []
        if proposal.before is not None:
            for old, new in zip(_parts(proposal.before), _parts(proposal.row), strict=True):
                if old.strip() and new.strip() and old != new:
                    found += [(old, new)] if self.ways != "backward" else []
                    found += [(new, old)] if self.ways != "forward" else []
        answer = answer_said(proposal.row["messages"])
        if self.of_source and proposal.source.strip() and answer.strip():
            found.append((proposal.source, answer))
        return found

    def _probabilities(self, pairs: Sequence[Pair]) -> FloatArray:
        """Of the label (n,), NaN where a pair was cut.

        Raises:
            UsageError: the model is no classifier of pairs, or has no such label.
        """
        if not pairs:
            return np.empty(0)
        model = sequence_classifier(self.hf)
        place = self._place(model.labels)
        read = model.read([a for a, _ in pairs], [b for _, b in pairs], self.max_length, self.batch, False)
        powers = np.exp(read.logits - read.logits.max(axis=1, keepdims=True))
        found: FloatArray = np.where(read.cut, np.nan, powers[:, place] / powers.sum(axis=1))
        return found

    def _place(self, names: Sequence[str]) -> int:
        if len(names) < 2:
            raise UsageError(f"hf: {self.hf} has one output and no label to find; name a classifier of inference")
        return place_of(self.label, names, self.hf)

    def _one(self, probabilities: Sequence[float]) -> Check:
        if not probabilities:
            return PASSED
        if any(np.isnan(one) for one in probabilities):
            return Check(False, "entailment not measured", "a pair does not fit the model's context", decided=False)
        worst = min(probabilities)
        facts = {"entailment": worst}
        if worst < self.least:
            return Check(False, "not entailed", f"{worst:.2f} < {self.least:g}", facts)
        return Check(True, facts=facts)


def _parts(row: Row) -> tuple[str, str]:
    return part_of(row["messages"], "prompt"), answer_said(row["messages"])
