"""CalibraEval: a judge's bias for letters and places, removed without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Case, FloatArray, Judgement, Verdict
from dataflywheel.evolution.judging.asking import AskingJudge, shown
from dataflywheel.evolution.judging.monotone import MonotoneMap, fit_monotone
from dataflywheel.evolution.judging.pairwise import GUIDED
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, together
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.token_shares import Shares, ask_shares, one_word, shares

TASK = (
    "You compare two answers to one prompt, answer_A and answer_B. Which one serves the person who wrote the prompt "
    "better? The order in which they stand, their letters, length and style are no merits."
)
ASK = "Which answer serves the person better, A or B? Reply with one letter."
LETTERS = ("a", "b")


class CalibraEval(Instructed, AskingJudge):
    """Which of two answers is better, from the probabilities of two letters with the judge's bias taken out.

    Each pair is asked three times: as it is, with the letters' places exchanged, and with the answers exchanged. A
    monotone map of P(A), fitted on all the cases without labels so that the three agree, is applied to each; the first
    answer's score is the mean of what the three then say of it. A case with an unreadable reply is invalid.
    """

    card: ClassVar[Card] = Card(
        title="CalibraEval: Calibrating Prediction Distribution to Mitigate Selection Bias in LLMs-as-Judges",
        authors="Li et al.",
        year=2024,
        paper="2410.15393",
        category="evolution",
        subcategory="judging",
        summary="Removes a judge's bias for letters and places by a monotone map fitted without labels.",
        needs=("endpoint",),
        cost="$$",
        checked="a planted bias of letter and place; gradients against finite differences",
        pays="A judge that leans to one letter or place, many pairs without labels, and an endpoint that gives "
        "log-probabilities.",
        fails="It evens out a bias and brings no insight: a judge that cannot tell the answers apart stays so, and "
        "one that writes no letter first cannot be read; then `pairwise` in both orders.",
        evidence="benchmarks/real_model.md: a 135M judge put no probability on the letters in 2 of 4 pairs. The gain "
        "in agreement with people was not measured here.",
    )
    version: ClassVar[int] = 2
    answers: ClassVar[int | None] = 2
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")

    spread: float = Field(default=0.1, ge=0, lt=1)
    """Weight of the term that keeps the map from calling everything a draw."""

    instructions: Instructions = TASK
    """What the model is told to do."""

    def questions(self) -> int:
        return 3

    def _judge(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        asked = [request for case in cases for request in _asked(self.instructions, case)]
        replies = ask_shares(client, asked, LETTERS, self.name)
        read = [shares(reply, LETTERS) for reply in replies]
        p = np.array([s.share["a"] if isinstance(s, Shares) else np.nan for s in read]).reshape(-1, 3)
        readable = np.isfinite(p).all(axis=1)
        if readable.any():
            calibrate = fit_monotone(p[readable, 0], p[readable, 1], p[readable, 2], self.spread)
            p[readable] = calibrated(calibrate, p[readable])
        reasons = [next((s for s in read[3 * i :][:3] if isinstance(s, str)), "") for i in range(len(cases))]
        return [_judgement(case.id, row, why) for case, row, why in zip(cases, p, reasons, strict=True)]


def calibrated(calibrate: MonotoneMap, p: FloatArray) -> FloatArray:
    """What each of the three askings says of the first answer (n, 3), from P(A) (n, 3)."""
    mapped = calibrate(p)
    return np.column_stack([mapped[:, 0], mapped[:, 1], 1 - mapped[:, 2]])


def _asked(task: str, case: Case) -> list[Request]:
    """As it is; letter A still the first answer's, but shown last; letter A the second answer's, shown first."""
    first, second = case.answers
    instructions = together([task, *([GUIDED] if case.reference else [])])
    orders = (
        {"answer_A": first, "answer_B": second},
        {"answer_B": second, "answer_A": first},
        {"answer_A": second, "answer_B": first},
    )
    return [question(instructions, shown(case, order), ASK, one_word()) for order in orders]


def _judgement(id: str, first: FloatArray, why: str) -> Judgement:
    if why:
        return Judgement(id, (float("nan"), float("nan")), (Verdict.INVALID, Verdict.INVALID), reason=why)
    orders = tuple(
        Verdict.TIE if p == 0.5 else Verdict.FIRST if p > 0.5 else Verdict.SECOND for p in (first[0], first[2])
    )
    score = float(first.mean())
    return Judgement(id, (score, 1 - score), orders)
