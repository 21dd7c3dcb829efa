"""Crowd Score: one model judges as several people, who vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Case, Judgement, Verdict
from dataflywheel.evolution.comparison import TASK, Choice
from dataflywheel.evolution.judging.asking import PanelJudge
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.spec import ModelSpec

PERSONAS = (
    "a teacher who wants the answer to be right above all",
    "a busy engineer who wants what can be used at once",
    "a curious reader without any background in the subject",
    "a careful editor who notices every unclear sentence",
)


class CrowdScore(Instructed, PanelJudge):
    """Shares of the votes of several personas of one model, each asked in both orders.

    Scores are the shares of the readable votes, a tie half to each; a case without a readable vote is invalid. The
    errors of one model's personas go together: `panel_worth` tells how many votes they amount to, before the panel is
    taken for a crowd.
    """

    card: ClassVar[Card] = Card(
        title="Crowd Score: A Method for the Evaluation of Jokes using Large Language Model AI Voters as Judges",
        authors="Goes et al.",
        year=2022,
        paper="2212.11214",
        category="evolution",
        subcategory="judging",
        summary="One model votes as several personas; how many independent votes that is, is measured.",
        needs=("endpoint",),
        cost="$$$",
        checked="scripted personas that disagree; effective votes of personas with one opinion: 1",
        pays="Matters of taste, such as humour or tone, where kinds of readers differ and a single model is to be had.",
        fails="Personas of one model err together, so that many votes may amount to one: measure by `panel_worth`, "
        "and take different models by `panel`.",
    )
    answered_in: ClassVar[type[Form] | None] = Choice
    version: ClassVar[int] = 2
    answers: ClassVar[int | None] = 2

    model: ModelSpec
    """The model that judges."""
    personas: tuple[str, ...] = Field(default=PERSONAS, min_length=2)
    """Who votes."""
    max_tokens: int = 512
    """Longest answer of the judge."""

    instructions: Instructions = TASK
    """What the model is told to do, as each of them."""

    def members(self, cases: Sequence[Case]) -> list[list[Judgement]]:
        each = [
            Pairwise(model=self.model, persona=persona, max_tokens=self.max_tokens, instructions=self.instructions)
            for persona in self.personas
        ]
        return [judge.judge(cases) for judge in each]

    def gather(self, members: Sequence[Sequence[Judgement]]) -> list[Judgement]:
        return [tally(own) for own in zip(*members, strict=True)]


def tally(votes: Sequence[Judgement]) -> Judgement:
    """One case's votes as one judgement: `scores` are shares of the readable votes."""
    counts = Counter(vote.verdict for vote in votes)
    readable = len(votes) - counts[Verdict.INVALID]
    if not readable:
        return Judgement(votes[0].id, (float("nan"), float("nan")), reason=votes[0].reason)
    first = (counts[Verdict.FIRST] + 0.5 * counts[Verdict.TIE]) / readable
    return Judgement(votes[0].id, (first, 1 - first))
