"""A panel: several models judge each pair, and their votes are weighed by how far each can be relied on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Case, Judge, Judgement
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.panel_worth import as_votes, combine
from dataflywheel.evolution.judging.win_rate import PREFERENCE
from dataflywheel.models.spec import ModelSpec


class Panel(Judge):
    """Verdicts of several models as judges in both orders, made one by Dawid and Skene's EM without gold labels.

    Several samples of one model are no panel: their errors go together. Whether the panel is worth its price,
    `panel_worth` measures on gold labels.
    """

    card: ClassVar[Card] = Card(
        title="Replacing Judges with Juries: Evaluating LLM Generations with a Panel of Diverse Models",
        authors="Verga et al.",
        year=2024,
        paper="2404.18796",
        category="evolution",
        subcategory="judging",
        summary="Several models judge each pair; their votes are weighed by each one's estimated errors.",
        needs=("endpoint",),
        cost="$$$",
        checked="raters with planted confusion matrices; planted correlated errors",
    )
    answers: ClassVar[int | None] = 2

    models: tuple[ModelSpec, ...] = Field(min_length=2)
    """The members."""
    evidence: bool = False
    """Ask for the evidence before the verdict."""

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        members = [Pairwise(model=model, evidence=self.evidence).judge(cases) for model in self.models]
        return gather(members)


def gather(members: Sequence[Sequence[Judgement]]) -> list[Judgement]:
    """One judgement a case from those of every member; a case without a readable vote is invalid."""
    verdicts = [[judgement.verdict for judgement in own] for own in members]
    firsts = [PREFERENCE[verdict] for verdict in combine(as_votes(verdicts))]
    return [
        Judgement(own[0].id, (first, 1 - first), reason="" if first == first else own[0].reason)
        for own, first in zip(zip(*members, strict=True), firsts, strict=True)
    ]
