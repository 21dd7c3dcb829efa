"""A judge as a gate: what it scores too low is turned away, and what it could not judge as well."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import ClassVar, Self

from pydantic import PrivateAttr, model_validator

from dataflywheel.contracts import Card, Case, Cost, Judge, Judgement, Named, PoolStatistics, UsageError
from dataflywheel.evolution.bridges.known_judge import UNREADABLE, case_of, judge_of, require_able
from dataflywheel.evolution.judgements import judged
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said

TOO_LOW = "the judge scores it too low"


class Judged(Gate):
    """Passes answers that a judge scores at least `at_least` on its own scale: `rubric` from 1 to 5, `pointwise` from 1
    to 10.

    The judge sees the prompt and the answer without its thoughts. It first has to get a few obvious pairs right. What
    it gave no readable verdict on is turned away for that reason, and has no score; what the endpoint failed at is
    asked again by the same command. The scores of rows that passed stand in `proposals.parquet`, and in a recipe with
    rounds they are held against the evaluation, so that a judge that is merely pleased is found out.
    """

    card: ClassVar[Card] = Card(
        title="Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
        authors="Zheng et al.",
        year=2023,
        paper="2306.05685",
        category="evolution",
        subcategory="judging",
        summary="A judge as a gate: rejects answers that it scores below a bound.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted judge with planted scores, unreadable verdicts and a budget that ends between two answers",
        pays="Written rows whose worth no program can check, by the hundred rather than the million, with a judge of "
        "another family than the writer.",
        fails="A judge that gives nearly all the same mark passes all or none, and one pleased by its own style is no "
        "check: look at the spread of scores, or use `preferred` by pairs.",
        evidence="benchmarks/real_model.md: a 135M judge's marks could be read in 4 of 4 rows, of which 3 passed. How "
        "well marks agree with people was not measured here.",
    )
    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    keeps_facts: ClassVar[bool] = True

    by: Named = {"rubric": {}}
    """The judge, with its parameters: `rubric`, `{rubric: {criteria: [...]}}`, `pointwise`."""
    model: ModelSpec
    """The model that judges; the recipe's teacher where none is named."""
    at_least: float
    """The lowest score that passes."""
    _judge: Judge = PrivateAttr()

    @model_validator(mode="after")
    def _made(self) -> Self:
        try:
            self._judge = judge_of(self.by, self.model)
        except UsageError as error:
            raise ValueError(str(error)) from None
        low, high = self._judge.scale
        if not low <= self.at_least <= high:
            raise ValueError(f"{self._judge.name} scores from {low:g} to {high:g}, and at_least is {self.at_least:g}")
        return self

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Of judging each row once."""
        return self._judge.estimate(pool)

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        around.once(f"known pairs:{self.digest()}", lambda: require_able(self._judge))
        cases = [_case(place, proposal) for place, proposal in enumerate(proposals)]
        asked = [case for case in cases if isinstance(case, Case)]
        found = {judgement.id: judgement for judgement in judged(self._judge, asked)}
        return [Check(False, c, decided=False) if isinstance(c, str) else self._check(found[c.id]) for c in cases]

    def _check(self, judgement: Judgement) -> Check:
        (score,) = judgement.scores
        if isnan(score):
            return Check(False, UNREADABLE, judgement.reason, decided=False, replies=judgement.replies)
        facts = {"score": score}
        if score < self.at_least:
            told = ", ".join(f"{name} {marks[0]:g}" for name, marks in judgement.criteria.items())
            return Check(False, TOO_LOW, f"{score:g}{f' ({told})' if told else ''}", facts, replies=judgement.replies)
        return Check(True, facts=facts, replies=judgement.replies)


def _case(place: int, proposal: Proposal) -> Case | str:
    assert proposal.row is not None
    return case_of(str(place), proposal.row, answer_said(proposal.row["messages"]))
