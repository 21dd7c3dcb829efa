"""A judge of pairs as a gate: the new answer must be better than the one beside it, whichever is shown first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dataflywheel.contracts import Card, Case, Cost, Judgement, PoolStatistics, Verdict
from dataflywheel.evolution.bridges.known_judge import NOTHING_SAID, UNREADABLE, UNSEEN, require_able
from dataflywheel.evolution.comparison import TASK
from dataflywheel.evolution.judgements import judged
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import answer_said, split_answer, transcript

DISAGREE = "the judge's verdict follows the order"
WORSE = "the judge prefers the other answer"
EVEN = "the judge sees no difference"
ALONE = "no other answer to compare with"


class Preferred(Instructed, Gate):
    """Passes answers that a judge prefers to the other one in both orders: to the row's rejected answer, or without one
    to the answer of the row that is replaced.

    A judge whose verdict changes with the order has none: such pairs are turned away and counted apart from ties and
    from those where the other answer is better. The judge first has to get a few obvious pairs right.
    """

    card: ClassVar[Card] = Card(
        title="Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
        authors="Zheng et al.",
        year=2023,
        paper="2306.05685",
        category="evolution",
        subcategory="judging",
        summary="A judge as a gate: passes answers that are better than the one beside them in both orders.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted judge with a planted bias for the first place: every pair that it decides by the order is "
        "turned away for that reason, and none that it decides by the answers",
        pays="Pairs and rewrites of which a share is no better than what they came from.",
        fails="A judge that loves length prefers the longer answer in both orders; look at the length gap.",
    )
    asks: ClassVar[bool] = True
    alone: ClassVar[bool] = False
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    keeps_facts: ClassVar[bool] = True

    model: ModelSpec
    """The model that judges; the recipe's teacher where none is named."""
    evidence: bool = False
    """Ask for the evidence before the verdict."""
    instructions: Instructions = TASK
    """What the judge is told to do."""

    @property
    def judge(self) -> Pairwise:
        return Pairwise(model=self.model, evidence=self.evidence, instructions=self.instructions)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Of judging each row once, in both orders."""
        return self.with_examples(self.judge.estimate(pool))

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        judge = self.judge
        around.once(f"known pairs:{self.digest()}", lambda: require_able(judge))
        cases = [_case(place, proposal) for place, proposal in enumerate(proposals)]
        found = {one.id: one for one in judged(judge, [case for case in cases if isinstance(case, Case)])}
        return [case if isinstance(case, Check) else _check(found[case.id]) for case in cases]


def _case(place: int, proposal: Proposal) -> Case | Check:
    row = proposal.row
    assert row is not None
    before = proposal.before["messages"] if proposal.before else []
    answer, other = answer_said(row["messages"]), answer_said(row["rejected"] or before)
    if row["media"]:
        return Check(False, UNSEEN, decided=False)
    if not answer.strip():
        return Check(False, NOTHING_SAID, decided=False)
    if not other.strip():
        return Check(False, ALONE, decided=False)
    return Case(str(place), transcript(split_answer(row["messages"])[0]), (answer, other))


def _check(judgement: Judgement) -> Check:
    if judgement.verdict == Verdict.INVALID:
        return Check(False, UNREADABLE, judgement.reason, decided=False, replies=judgement.replies)
    if judgement.verdict == Verdict.FIRST:
        return Check(True, PASSED.reason, replies=judgement.replies)
    orders = set(judgement.orders)
    why = WORSE if judgement.verdict == Verdict.SECOND else EVEN if orders == {Verdict.TIE} else DISAGREE
    return Check(False, why, " then ".join(judgement.orders), replies=judgement.replies)
