"""Pairwise: which of two answers is better, asked in both orders and believed where both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from dataflywheel.contracts import Card, Case, Judgement, Verdict
from dataflywheel.evolution.comparison import TASK, Choice, pair_form
from dataflywheel.evolution.comparison import ReasonedChoice as ReasonedChoice
from dataflywheel.evolution.judging.asking import AskingJudge, bill, reason, shown
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, together
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for

NAN = float("nan")
GUIDED = "The reference is a correct answer; an answer that contradicts it is wrong."
ASK = "Which answer serves the person better? Say in `better`: 1, 2, or tie if neither is better."
EVIDENCE = (
    "Name in `analysis` the faults and merits of both answers in a few sentences, and then say in `better` which one "
    "serves the person better: 1, 2, or tie if neither is better."
)


class Pairwise(Instructed, AskingJudge):
    """Which of two answers is better. Each pair is shown in both orders; scores are 1 and 0, or 0.5 each for a tie.

    An answer wins only where both orders say so; orders that disagree are a tie, and an unreadable verdict in either
    makes the pair invalid. With a reference in the case, the judge sees it.
    """

    card: ClassVar[Card] = Card(
        title="Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
        authors="Zheng et al.",
        year=2023,
        paper="2306.05685",
        category="evolution",
        subcategory="judging",
        summary="Which of two answers is better, in both orders; a win only where both orders agree.",
        needs=("endpoint",),
        cost="$$",
        checked="a judge that follows the order alone: all ties; recorded verdicts on PandaLM's pairs",
        pays="Two models or versions whose answers are close, some hundred prompts, and no result to check: twice the "
        "calls, and the place decides nothing.",
        fails="Orders that disagree end as ties, which may be all that a small judge gives, and length still wins: "
        "print the longer answer's share beside it, and take a stronger judge.",
        evidence="benchmarks/results.md: recorded verdicts on 999 pairs of PandaLM agree with people in 0.698 "
        "(GPT-3.5, by another prompt) and 0.668 (PandaLM-7B), unreadable ones counted wrong, the longer answer alone "
        "in 0.611.",
    )
    version: ClassVar[int] = 2
    answers: ClassVar[int | None] = 2

    evidence: bool = False
    """Ask for the evidence before the verdict (Wang et al. 2023, 2305.17926): slower, often steadier."""
    persona: str = ""
    """Who judges, such as "a careful teacher"; part of the instructions."""
    max_tokens: int = 512
    """Longest answer of the judge."""

    instructions: Instructions = TASK
    """What the model is told to do."""

    def questions(self) -> int:
        return 2

    def answer_form(self) -> type[Form]:
        return pair_form(self.evidence)

    def _judge(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        questions = [self.ask(case, order) for case in cases for order in (0, 1)]
        answers = ask_for(client, questions, pair_form(self.evidence))
        found = []
        for i, case in enumerate(cases):
            both = answers[2 * i : 2 * i + 2]
            one = judgement(case.id, read(both[0], 0), read(both[1], 1), reason(both))
            found.append(replace(one, replies=bill(both)))
        return found

    def ask(self, case: Case, order: int) -> Request:
        """The question with the answers in their order (0) or exchanged (1)."""
        first, second = case.answers if order == 0 else reversed(case.answers)
        instructions = [f"You are {self.persona}."] if self.persona else []
        instructions += [self.instructions, *([GUIDED] if case.reference else [])]
        parts = shown(case, {"answer_1": first, "answer_2": second})
        ask = EVIDENCE if self.evidence else ASK
        return question(together(instructions), parts, ask, Sampling(max_tokens=self.max_tokens))


def read(answer: Answer[Choice | ReasonedChoice], order: int) -> Verdict:
    """The verdict by answer: in order 1 the answer shown first is the case's second."""
    if answer.value is None:
        return Verdict.INVALID
    if answer.value.better == "tie":
        return Verdict.TIE
    return Verdict.FIRST if (answer.value.better == "1") == (order == 0) else Verdict.SECOND


def judgement(id: str, forward: Verdict, backward: Verdict, why: str = "") -> Judgement:
    """One judgement from the verdicts in both orders, each by answer.

    >>> judgement("a", Verdict.FIRST, Verdict.FIRST).scores, judgement("b", Verdict.FIRST, Verdict.SECOND).scores
    ((1.0, 0.0), (0.5, 0.5))
    """
    orders = (forward, backward)
    if Verdict.INVALID in orders:
        return Judgement(id, (NAN, NAN), orders, reason=why)
    if forward != backward or forward == Verdict.TIE:
        return Judgement(id, (0.5, 0.5), orders)
    return Judgement(id, (1.0, 0.0) if forward == Verdict.FIRST else (0.0, 1.0), orders)
