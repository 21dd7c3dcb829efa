"""Supervised fine-tuning: the likelihood of the rows' own answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from dataflywheel.contracts import Card, Objective, Sampler
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.reference import ReferenceLosses
from dataflywheel.models.training.train_settings import Progress, TrainSettings
from dataflywheel.models.training.trainer import Trainer, chats
from dataflywheel.models.training.training import TrainResult, train_sft
from dataflywheel.rows.schema import Row, table


class FineTuning(Trainer):
    """The mean of -log p over the tokens of the rows' answers, their end included; prompts are read and not learned.
    What the step `train` does; `distill` puts an objective in the place of that loss."""

    card: ClassVar[Card] = Card(
        title="Finetuned Language Models Are Zero-Shot Learners",
        authors="Wei et al.",
        year=2021,
        paper="2109.01652",
        category="distillation",
        subcategory="model",
        summary="Trains on the answers of rows, each token by its likelihood.",
        needs=("model",),
        cost="$$",
        checked="plain transformers one row at a time; planted skills; the same weights after a kill",
    )

    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        return chat.examples(chats(rows), settings.max_length, settings.turns)

    def train(
        self,
        rows: Sequence[Row] | pa.Table,
        model: Path | ModelSpec | LanguageModel,
        output: Path,
        settings: TrainSettings | None = None,
        *,
        reference: Path | ModelSpec | LanguageModel | None = None,
        progress: Progress | None = None,
        objective: Objective | None = None,
        sampler: Sampler | None = None,
        losses: ReferenceLosses | None = None,
    ) -> TrainResult:
        """As every trainer; `objective`, `sampler` and the `losses` that it compares with are as in `train_sft`."""
        given = rows if isinstance(rows, pa.Table) else table(list(rows))
        beside: dict[str, Any] = {"objective": objective, "sampler": sampler, "reference": losses}
        return train_sft(given, model, output, settings, progress=progress, **beside)
