"""SelectIT: a model's digit under several wordings, worth less where the model is unsure of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.form import Form
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating
from dataflywheel.signals.rating.token_shares import Shares, ask_shares, one_word, shares

DIGITS = ("1", "2", "3", "4", "5")
INSTRUCTIONS = "You rate training examples for an assistant: an instruction and its answer, from 1 (worst) to 5 (best)."
SCALE = "Reply with one digit from 1 (worst) to 5 (best)."
WORDINGS = (
    f"How good is the answer to the instruction? {SCALE}",
    f"Which grade does this pair of instruction and answer get as a training example? {SCALE}",
    f"How correct, complete and clear is the answer for the given instruction? {SCALE}",
    f"How content would an expert be with this answer to the instruction? {SCALE}",
    f"What is the overall quality of the example: a clear instruction and an answer that meets it? {SCALE}",
)


class Digit(Form):
    """The digit, as an example may show it."""

    score: int = Field(ge=1, le=5)


class SelectIt(Instructed, Rating):
    """Column `score`: the mean over five wordings of the token scores, divided by 1 + alpha times their deviation.

    A wording's token score is its likeliest digit times the mean lead of that digit's share over the other four.
    Shares are the model's own probabilities, normalised over the digits in all spellings. A row needs all five.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="SelectIT: Selective Instruction Tuning for LLMs via Uncertainty-Aware Self-Reflection",
        authors="Liu et al.",
        year=2024,
        paper="2402.16705",
        category="signals",
        subcategory="rating",
        summary="A digit from 1 to 5 under five wordings, weighed by how sure and how steady it is.",
        needs=("endpoint",),
        cost="$$",
        checked="scores computed by hand; a sharper distribution never scores lower; a failed row shifts no other",
        pays="A server that tells log-probabilities, and rows whose grade changes with the wording of the question.",
        fails="Five calls a row bring little over one on large pools: take `ask_llm`, and put `random` beside either.",
        evidence="2410.09335: on large pools rarely better than random to a significant degree; here "
        "(`benchmarks/real_model.md`): 135 M parameters, none of the first 20 answers read.",
    )
    answered_in: ClassVar[type[Form] | None] = Digit
    columns: ClassVar[dict[str, pa.DataType]] = {
        "score": pa.float32(),
        "deviation": pa.float32(),
        "mass": pa.float32(),
        **COST_COLUMNS,
    }
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")
    answer_tokens: ClassVar[int] = 2

    alpha: float = Field(default=0.2, ge=0)
    """How much disagreement among the wordings costs."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def calls_a_row(self) -> int:
        return len(WORDINGS)

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        parts = [{"instruction": row.prompt, "answer": row.answer} for row in rows]
        asked = [question(self.instructions, part, text, one_word()) for part in parts for text in WORDINGS]
        replies = ask_shares(client, asked, DIGITS, self.name)
        return [self._rated(replies[i : i + len(WORDINGS)]) for i in range(0, len(replies), len(WORDINGS))]

    def _rated(self, replies: Sequence[Reply]) -> Rated:
        found = [shares(reply, DIGITS) for reply in replies]
        read = [one for one in found if isinstance(one, Shares)]
        if len(read) < len(found):
            return Rated(None, next(one for one in found if isinstance(one, str)), tuple(replies))
        tokens = [token_score(one) for one in read]
        deviation = float(np.std(tokens))
        score = float(np.mean(tokens)) / (1 + self.alpha * deviation)
        mass = min(one.mass for one in read)
        return Rated({"score": score, "deviation": deviation, "mass": mass}, "", tuple(replies))


def token_score(found: Shares) -> float:
    """The likeliest digit (the smaller of equals) times the mean lead of its share over the other digits.

    >>> round(token_score(Shares({"1": 0.0, "2": 0.0, "3": 0.0, "4": 0.8, "5": 0.2}, 1.0)), 3)
    3.0
    """
    best = max(found.share, key=lambda digit: (found.share[digit], -int(digit)))
    leads = [found.share[best] - share for digit, share in found.share.items() if digit != best]
    return int(best) * sum(leads) / len(leads)
