"""Embedding: a row's text, or a part of it, as a vector of length one."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Status
from dataflywheel.rows.text import Part, texts
from dataflywheel.signals.model.model_based import EmbedderBased, embed_texts, vector_column


class Embedding(EmbedderBased):
    """Column `vector`: float32, unit length; null where the part has no text. A long text is read from its start."""

    card: ClassVar[Card] = Card(
        title="Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
        authors="Reimers and Gurevych",
        year=2019,
        paper="1908.10084",
        category="signals",
        subcategory="embedding",
        summary="The row (or its prompt, or its answer) as a unit vector of a text encoder.",
        needs=("embedder",),
        cost="$",
        checked="vectors of the sentence-transformers library on real rows, to 1e-4",
        pays="Nearly all that needs no language model: one pass of a small encoder serves copies, coverage, targets "
        "and agreement.",
        fails="A long text is read from its start alone, and a static encoder knows words and not their order: cut "
        "documents before, or take `hidden_state`.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: `rds_plus` by it gsm8k "
        "+0.561 [+0.529, +0.594], pubmedqa +0.141 [+0.126, +0.156].",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"vector": pa.list_(pa.float32())}

    part: Part = "all"
    """What is encoded: the whole row, all before its final answer, or that answer."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        vectors, status = embed_texts(self.embedder, texts(batch.column("messages"), self.part))
        return {"vector": vector_column(vectors, status <= Status.TRUNCATED), "status": status}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=pool.tokens)
