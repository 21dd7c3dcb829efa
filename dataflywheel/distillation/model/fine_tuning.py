"""Supervised fine-tuning: the likelihood of the rows' own answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import Card, Objective, Sampler
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.reference import ReferenceLosses
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer, TrainingTask, chats
from dataflywheel.models.training.training import TrainResult, train_sft
from dataflywheel.models.training.validation import Hints
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
        pays="Rows whose answers are right and as they are wanted, and no better model that could teach more than "
        "these answers say.",
        fails="It learns faults with the rest, and few rows learned again and again are worth less than others in "
        "their place: more rows, fewer epochs, or a teacher.",
        evidence="Here (`benchmarks/wheel.md`): as many tokens of fresh random rows, each learned once, were better by "
        "0.008 bits a byte than the wheel's rows learned three times (one seed).",
    )

    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        return chat.examples(chats(rows), settings.max_length, settings.turns)

    def learn(self, task: TrainingTask) -> TrainResult:
        return self.guided(task)

    def guided(
        self,
        task: TrainingTask,
        objective: Objective | None = None,
        sampler: Sampler | None = None,
        losses: ReferenceLosses | None = None,
        hints: Hints | None = None,
    ) -> TrainResult:
        """`train` with an `objective`, a `sampler` the `losses` that this compares with and the `hints`
        that it asks for, as in `train_sft`."""
        return train_sft(
            task.rows if isinstance(task.rows, pa.Table) else table(list(task.rows)),
            task.model,
            task.output,
            task.settings,
            progress=task.progress,
            objective=objective,
            sampler=sampler,
            reference=losses,
            hints=hints,
        )
