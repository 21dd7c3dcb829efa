"""Gradient projection: which way a row would move the model, at points of a short training."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, FloatArray, PoolStatistics, Status
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.checkpoints import (
    Adapters,
    Schedule,
    load_checkpoint,
    trainable,
)
from dataflywheel.models.training.row_gradients import SPREAD, RowGradients, SignProjection
from dataflywheel.signals.model.checkpoint_based import CheckpointBased
from dataflywheel.signals.model.model_based import refusals, vector_column

MAX_TOKENS = 8192
"""Padded tokens of one forward and backward pass."""
FEWEST = 64
"""Rows of the warm-up, at least."""
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class GradientProjection(CheckpointBased):
    """Column `vector`: float16, of unit length; C checkpoints of `dimension` numbers each, one after another.

    Low-rank adapters are first trained on a random share of the pool. At each checkpoint the gradient of the mean loss
    over the row's answer tokens with respect to the adapters becomes Adam's next step (`adam`) or stays as it is
    (`gradient`), is projected at random to `dimension` numbers and brought to unit length; the checkpoint's part of the
    vector is that times the square root of its share of the learning rate. The inner product of two rows is so the mean
    cosine over checkpoints, weighted by learning rate.
    """

    card: ClassVar[Card] = Card(
        title="LESS: Selecting Influential Data for Targeted Instruction Tuning",
        authors="Xia et al.",
        year=2024,
        paper="2402.04333",
        category="signals",
        subcategory="gradient",
        summary="Each row's gradient on low-rank adapters during a warm-up, projected to a few thousand numbers.",
        needs=("model",),
        cost="$$$",
        checked="gradients by autograd of one row at a time without padding; inner products of whole gradients",
        pays="One pool and several targets in turn: the dear passes are kept, and serve `less`, `tsds` and `k_center`.",
        fails="It costs passes forward and back over every row at every checkpoint: where `hidden_state` or "
        "`embedding` already tell rows apart, it is not worth them.",
        evidence="Here (`benchmarks/selection.md`): 390 and 403 processor seconds for a choice of `less` among 10,026 "
        "rows, beside 60 and 64 by `hidden_state`.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"vector": pa.list_(pa.float16())}
    batch_size: ClassVar[int] = 512
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("messages", "tools", "media")

    direction: Literal["adam", "gradient"] = "adam"
    """What a row is taken for: one to be trained on with Adam, or one whose loss is to fall."""
    dimension: int = Field(default=2048, ge=64, multiple_of=SPREAD)
    """Numbers a checkpoint; the paper takes 8192. An inner product is off by about 1 / sqrt(dimension)."""
    share: float = Field(default=0.05, gt=0, le=1)
    """Share of the pool that the warm-up trains on; 64 rows at least."""
    epochs: int = Field(default=3, ge=1)
    """Of the warm-up; one checkpoint each, and each costs a pass over the pool. The paper takes 4."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Of the warm-up, at its highest: 1e-3 for models below 50 million weights, else 2e-5, as in the paper."""
    adapters: Adapters = Adapters()
    """Low-rank adapters whose gradients are taken: rank, alpha and dropout."""
    seed: int = 0
    """Of the training, its sample of rows, and the projection."""

    def schedule(self) -> Schedule:
        return Schedule(
            epochs=self.epochs,
            checkpoints=self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.rows_a_step,
            max_length=self.max_length,
            adapters=self.adapters,
            seed=self.seed,
        )

    def lesson(self, pool: pa.Table) -> pa.Table:
        count = min(len(pool), max(FEWEST, math.ceil(self.share * len(pool))))
        return pool.take(pa.array(np.sort(np.random.default_rng(self.seed).permutation(len(pool))[:count])))

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        files = self.files()
        at = _loaded(self.model, self.adapters, self.dimension, self.seed)
        rows = at.base.encode(chats_of(batch), self.max_length, "all")
        status = np.asarray([row.status for row in rows], dtype=np.uint8)
        members = [i for i, row in enumerate(rows) if row.ids]
        vectors = np.full((len(rows), self.dimension * len(files)), np.nan, dtype=np.float16)
        rates = np.array([rate for _, rate in files])
        for number, (file, _) in enumerate(files):
            moments = load_checkpoint(at.weights, file)
            part = slice(number * self.dimension, (number + 1) * self.dimension)
            for width, chosen in batches([len(rows[i].ids) for i in members], MAX_TOKENS):
                here = [members[i] for i in chosen]
                found = at.projected([rows[i] for i in here], width, moments if self.direction == "adam" else None)
                vectors[here, part] = unit(found) * np.sqrt(rates[number] / rates.sum())
        status[(status <= Status.TRUNCATED) & ~np.isfinite(vectors).all(axis=1)] = Status.FAILED
        found = vector_column(vectors, status <= Status.TRUNCATED)
        return {"vector": found, "status": status, "error": refusals(rows)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        passes = self.epochs * (pool.rows + math.ceil(self.share * pool.rows))
        tokens = self.epochs * (pool.tokens + math.ceil(self.share * pool.tokens))
        return Cost(forward=passes, backward=passes, tokens=tokens)


class _Loaded:
    """A model with adapters in place, into which checkpoints are loaded one after another."""

    def __init__(self, spec: ModelSpec, adapters: Adapters, dimension: int, seed: int) -> None:
        self.base = LanguageModel.load(spec)  # its own copy: adapters change the model
        self.weights = trainable(self.base.model, adapters)
        self.base.model.eval()
        self.gradients = RowGradients(self.base, self.weights)
        self.projection = SignProjection(dimension, seed)

    def projected(self, rows: Any, width: int, moments: dict[str, tuple[Any, Any]] | None) -> FloatArray:
        """Projected gradients (b, dimension), or Adam's steps where moments are given."""
        total: Any = 0

        def use(name: str, gradients: Any) -> None:
            nonlocal total
            step = gradients if moments is None else adam_direction(gradients, *moments[name])
            total = total + self.projection(name, step)

        self.gradients.each(rows, width, use)
        found: FloatArray = total.cpu().numpy()
        return found


_loaded = lru_cache(maxsize=1)(_Loaded)


def adam_direction(gradients: Any, first: Any, second: Any) -> Any:
    """Adam's next step for each gradient (b, ...), from the moments (...) so far; no bias correction."""
    mean = BETA1 * first + (1 - BETA1) * gradients
    square = BETA2 * second + (1 - BETA2) * gradients**2
    return mean / (square + EPSILON).sqrt()


def unit(vectors: FloatArray) -> FloatArray:
    """Rows of unit length; NaN for a row of zeros, which has no direction."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, np.nan)
