"""Learner's gap: what the model that is being trained still lacks on a row."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Status
from dataflywheel.models.language.language_model import shared_model
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.signals.model.model_based import LanguageModelBased, refusals


class LearnerGap(LanguageModelBased):
    """Column `gap`: mean negative log-likelihood, in nats a token, of the row's answer given its prompt, under the
    model that the recipe trains, as the best round so far left it; in the first round as training begins.

    The paper's gap is the reward of the reference answer less that of the model's own. A model's own likeliest answer
    surprises it hardly, so that the surprise of the reference alone ranks as that difference by perplexity would.
    """

    card: ClassVar[Card] = Card(
        title="Diversify and Conquer: Diversity-Centric Data Selection with Iterative Refinement",
        authors="Yu et al.",
        year=2024,
        paper="2409.11378",
        category="signals",
        subcategory="likelihood",
        summary="Surprise at a row's answer of the model in training, measured anew in every round.",
        needs=("model",),
        cost="$",
        checked="equal to the likelihood signal's loss under the same model; follows the round's model in a wheel",
        pays="Wheels of three rounds or so on a clean pool, where `diversify_and_conquer` shall give more to what the "
        "student lacks.",
        fails="A wrong answer surprises in every round and draws budget for ever: filter first, or take `rho_loss`, "
        "whose reference tells noise from what is new.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"gap": pa.float32()}
    version: ClassVar[int] = 3
    own_model: ClassVar[Literal["trained", "base"] | None] = "trained"
    reads: ClassVar[tuple[str, ...]] = ("messages", "tools", "media")

    max_length: int = Field(default=1024, ge=16)
    """Tokens of a row, at most; never more than the model's own context."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        model = shared_model(self.model)
        rows = model.encode(chats_of(batch), self.max_length)
        loss = model.answer_scores(rows).loss
        status = np.asarray([row.status for row in rows], dtype=np.uint8)
        status[(status <= Status.TRUNCATED) & ~np.isfinite(loss)] = Status.FAILED
        gap = np.where(status <= Status.TRUNCATED, loss, np.nan).astype(np.float32)
        return {"gap": gap, "status": status, "error": refusals(rows)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=pool.tokens)
