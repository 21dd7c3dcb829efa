"""Classified: what a sequence classifier scores out of bounds is turned away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from dataflywheel.contracts import Card, Status
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.signals.model.classifying import Classifying


class Classified(Classifying, Gate):
    """Rejects a row whose score by a sequence classifier is below `least` or above `most`. A rejected answer of a
    preference pair is meant to be worse and is not looked at; a row that cannot be scored is not accepted."""

    card: ClassVar[Card] = Card(
        title="Llama Guard: LLM-based Input-Output Safeguard for Human-AI Conversations",
        authors="Inan et al.",
        year=2023,
        paper="2312.06674",
        category="proposing",
        subcategory="gates",
        summary="Rejects proposals that a sequence classifier scores out of bounds.",
        needs=("model",),
        cost="$",
        checked="the signal's scores of the same rows, at either bound",
        pays="Proposals by the thousand, and a classifier trained on the very property: one local forward pass each, "
        "where a judge is asked.",
        fails="A score means something for texts like those of its training alone, and bounds do not carry over "
        "between models: set them by labelled rows of your own, else use `judged`.",
    )

    least: float | None = Field(default=None)
    """Smallest score that is accepted."""
    most: float | None = Field(default=None)
    """Largest score that is accepted."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("give `least`, `most` or both; with neither nothing would be turned away")
        return self

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        found = self.classified([one.row["messages"] if one.row else [] for one in proposals])
        return [self._one(float(score), int(status)) for score, status in zip(found.score, found.status, strict=True)]

    def _one(self, score: float, status: int) -> Check:
        if status > Status.TRUNCATED:
            return Check(False, "not classified", Status(status).name.lower())
        facts = {"classified": score}
        if self.least is not None and score < self.least:
            return Check(False, "scored too low", f"{score:.3g} < {self.least:g}", facts)
        if self.most is not None and score > self.most:
            return Check(False, "scored too high", f"{score:.3g} > {self.most:g}", facts)
        return Check(True, facts=facts)
