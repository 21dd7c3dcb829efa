"""Loss of the answer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pyarrow as pa

from dataflywheel.contracts import Card
from dataflywheel.evolution.metrics.bits_per_byte import BitsPerByte
from dataflywheel.evolution.metrics.model_metric import Scored
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import chats_of


class AnswerLoss(BitsPerByte):
    """Nats a token of the reference answer."""

    card: ClassVar[Card] = Card(
        title="Loss of the answer",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="metrics",
        summary="Nats that the model needs for a token of the reference answers.",
        needs=("target",),
        checked="the model's losses by hand",
        pays="Runs with one tokenizer, where the trainer's own loss is to be held against the evaluation's.",
        fails="A token is another amount of text in each tokenizer, so that models do not compare: use "
        "`bits_per_byte`.",
    )
    better: ClassVar[Literal["lower", "higher"]] = "lower"

    def measure(self, model: LanguageModel, messages: list[Any], rows: pa.Table) -> Scored:
        scores = model.answer_scores(model.encode(chats_of(rows)))
        return scores.total, scores.tokens.astype(float)
