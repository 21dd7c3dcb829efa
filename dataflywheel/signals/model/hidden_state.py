"""Hidden state: a row as a language model's own last layer sees it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Status
from dataflywheel.models.language.language_model import Pooling, shared_model
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.signals.model.model_based import LanguageModelBased, refusals, vector_column


class HiddenState(LanguageModelBased):
    """Column `vector`: float32, not normalised, pooled over the tokens of prompt and answer."""

    card: ClassVar[Card] = Card(
        title="Large-Scale Data Selection for Instruction Tuning",
        authors="Ivison et al.",
        year=2025,
        paper="2503.01807",
        category="signals",
        subcategory="embedding",
        summary="The last layer's states of a row: mean, mean weighted by position, or last.",
        needs=("model",),
        cost="$",
        checked="plain transformers, one row at a time",
        pays="A target and a base model that has read much: one pass a row gives what `rds_plus` compares.",
        fails="A scorer that has learned little has states that say little, and rows are cut at `max_length`: then "
        "`embedding` tells more for less.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: `rds_plus` by it gsm8k "
        "+0.528 [+0.462, +0.595], pubmedqa +0.122 [+0.104, +0.140], in 60 and 64 processor seconds for 10,026 rows.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"vector": pa.list_(pa.float32())}
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("messages", "tools", "media")

    pooling: Pooling = "weighted"
    """`weighted`: the i-th of n states counts i times, since later states have seen more of the row."""
    max_length: int = Field(default=2048, ge=16)
    """Tokens of a row, at most; never more than the model's own context."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        model = shared_model(self.model)
        rows = model.encode(chats_of(batch), self.max_length)
        vectors = model.hidden_states(rows, self.pooling)
        status = np.asarray([row.status for row in rows], dtype=np.uint8)
        status[(status <= Status.TRUNCATED) & ~np.isfinite(vectors).all(axis=1)] = Status.FAILED
        found = vector_column(vectors, status <= Status.TRUNCATED)
        return {"vector": found, "status": status, "error": refusals(rows)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=pool.tokens)
