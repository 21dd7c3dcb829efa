"""A panel: several models judge each pair, and their votes are weighed by how far each can be relied on."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Case, Judgement
from dataflywheel.evolution.comparison import TASK, pair_form
from dataflywheel.evolution.judging.asking import PanelJudge
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.panel_worth import as_votes, combine
from dataflywheel.evolution.judging.win_rate import PREFERENCE
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.spec import ModelSpec


class Panel(Instructed, PanelJudge):
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
        pays="Several models of different families, about equally good, where one judge's taste must not decide.",
        fails="Models err together, so that two votes are fewer than two, and a good judge is outvoted by worse ones: "
        "measure `panel_worth`, and else ask the best member alone.",
        evidence="benchmarks/results.md: two recorded judges as a panel agree in 0.700 against 0.698 of the better "
        "one, gain 0.002 (-0.036 to 0.040): not better than its best member; 1.43 effective votes of 2.",
    )
    answers: ClassVar[int | None] = 2

    models: tuple[ModelSpec, ...] = Field(min_length=2)
    """The members."""
    evidence: bool = False
    """Ask for the evidence before the verdict."""

    instructions: Instructions = TASK
    """What each of them is told to do."""

    def answer_form(self) -> type[Form]:
        return pair_form(self.evidence)

    def members(self, cases: Sequence[Case]) -> list[list[Judgement]]:
        return [
            Pairwise(model=model, evidence=self.evidence, instructions=self.instructions).judge(cases)
            for model in self.models
        ]

    def gather(self, members: Sequence[Sequence[Judgement]]) -> list[Judgement]:
        verdicts = [[judgement.verdict for judgement in own] for own in members]
        firsts = [PREFERENCE[verdict] for verdict in combine(as_votes(verdicts))]
        # A case without a readable vote of anybody has no score: its preference is NaN.
        return [
            Judgement(own[0].id, (first, 1 - first), reason=own[0].reason if isnan(first) else "")
            for own, first in zip(zip(*members, strict=True), firsts, strict=True)
        ]
