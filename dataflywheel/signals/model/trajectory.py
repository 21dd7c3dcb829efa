"""Trajectory: how a row's loss falls while a small model learns the pool."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Status
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.checkpoints import (
    Schedule,
    load_checkpoint,
    trainable,
)
from dataflywheel.signals.model.checkpoint_based import CheckpointBased
from dataflywheel.signals.model.model_based import refusals, vector_column


class Trajectory(CheckpointBased):
    """Column `losses`: float32, one a checkpoint in the order of the steps: nats a token of the answer, given its
    prompt.

    A copy of the model is first trained on the answers of the whole pool. A row of which any loss is not finite has no
    trajectory (FAILED); none is put in its place.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="SmallToLarge (S2L): Scalable Data Selection for Fine-tuning Large Language Models by Summarizing "
        "Training Trajectories of Small Models",
        authors="Yang et al.",
        year=2024,
        paper="2403.07384",
        category="signals",
        subcategory="trajectory",
        summary="Each row's loss at points of a small model's training on the pool.",
        needs=("model",),
        cost="$$",
        checked="losses of a model loaded from each checkpoint; rows that can be learned apart from rows that cannot",
        pays="One training of a proxy on the pool that several choices by `s2l` share, before long trainings of a "
        "large model.",
        fails="A proxy that learns nothing gives flat curves that tell rows not apart: look at the losses, train it "
        "longer, or take `embedding`.",
        evidence="The authors of S2L, by curves of a proxy 100 times smaller: 11 % of MathInstruct is as good as all "
        "of it; not measured here.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"losses": pa.list_(pa.float32())}

    epochs: int = Field(default=3, ge=1)
    """Of the small model's training on the pool."""
    points: int = Field(default=8, ge=2)
    """Checkpoints at equal distances, the last at the end."""
    learning_rate: float | None = Field(default=None, gt=0)
    """At its highest: 1e-3 for models below 50 million weights, else 2e-5, as in the paper."""

    def schedule(self) -> Schedule:
        return Schedule(
            epochs=self.epochs,
            checkpoints=self.points,
            learning_rate=self.learning_rate,
            batch_size=self.rows_a_step,
            max_length=self.max_length,
            seed=self.seed,
        )

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        files = self.files()
        base, weights = _loaded(self.model)
        rows = base.encode(chats_of(batch), self.max_length, "all")
        losses = []
        for file, _ in files:
            load_checkpoint(weights, file)
            losses.append(base.learned_scores(rows).loss)
        found = np.stack(losses, axis=1).astype(np.float32)
        status = np.asarray([row.status for row in rows], dtype=np.uint8)
        status[(status <= Status.TRUNCATED) & ~np.isfinite(found).all(axis=1)] = Status.FAILED
        vectors = vector_column(found, status <= Status.TRUNCATED)
        return {"losses": vectors, "status": status, "error": refusals(rows)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        passes = self.epochs + self.points
        return Cost(forward=passes * pool.rows, backward=self.epochs * pool.rows, tokens=passes * pool.tokens)


@lru_cache(maxsize=1)
def _loaded(spec: ModelSpec) -> tuple[LanguageModel, dict[str, Any]]:
    """A copy of its own, into which checkpoints are loaded one after another."""
    base = LanguageModel.load(spec)
    return base, trainable(base.model, None)
