"""Perturbation suite: variants of every evaluation row, so that an evaluation tells the loss by kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Around, Card, Composite, UsageError
from dataflywheel.evolution.renewal.perturbed import KINDS, Kind


class PerturbationSuite(Composite):
    """A step `renew` for each kind: typos, case, spacing, homoglyphs, dialect and negation by rules, and with
    `paraphrase` the questions in other words by the recipe's teacher. `evaluate` tells of each kind apart, under
    `renewed`: its score with an interval, and the paired difference from the rows as they were.
    """

    card: ClassVar[Card] = Card(
        title="Beyond Accuracy: Behavioral Testing of NLP Models with CheckList",
        authors="Ribeiro et al.",
        year=2020,
        paper="10.18653/v1/2020.acl-main.442",
        category="evolution",
        subcategory="renewal",
        summary="Variants of all evaluation rows by kinds of perturbation, so that scores tell the loss of each kind.",
        needs=("target",),
        checked="a run whose evaluation tells of every kind, and the same steps written out by hand",
        pays="Before a release: what typing, dialect and wording cost, measured on one's own questions.",
        fails="A target of some dozens of rows: the differences then lie within their intervals.",
    )

    kinds: tuple[Kind, ...] = KINDS
    """The kinds by rules."""
    share: float = Field(default=0.2, gt=0, le=1)
    """Of words or places, those that are changed by typos, spacing and homoglyphs."""
    paraphrase: bool = False
    """Whether the questions are put in other words as well, by the recipe's teacher, each verified."""

    def steps(self, around: Around) -> Sequence[dict[str, Any]]:
        if not around.targets:
            raise UsageError("perturbation_suite writes variants of evaluation rows; name some under `target:`")
        if self.paraphrase and "teacher" not in around.models:
            raise UsageError("perturbation_suite: `paraphrase` asks a model; name it under `models: {teacher: ...}`")
        by_rules = [{"renew": {"by": {"perturbed": {"kind": kind, "share": self.share}}}} for kind in self.kinds]
        return [*by_rules, *([{"renew": {"by": "reworded"}}] if self.paraphrase else [])]
