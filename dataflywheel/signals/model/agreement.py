"""Agreement: how much a row's answer is about what its prompt is about."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics
from dataflywheel.rows.text import texts
from dataflywheel.signals.model.model_based import EmbedderBased, embed_texts


class Agreement(EmbedderBased):
    """Column `cosine`: of the embeddings of prompt and answer, -1 to 1; NaN where either has no text.

    Sees an answer that belongs to another prompt, which a small language model's likelihood hardly does.
    """

    card: ClassVar[Card] = Card(
        title="Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
        authors="Reimers and Gurevych",
        year=2019,
        paper="1908.10084",
        category="signals",
        subcategory="embedding",
        summary="Cosine of prompt and answer: low where the answer is about something else.",
        needs=("embedder",),
        cost="$",
        checked="rows of a real pool against the same rows with their answers exchanged",
        pays="Pools in which answers may belong to other prompts or say the same to all of them; one pass of a small "
        "embedder a row.",
        fails="Right answers of a word or a number are hardly like their prompt, and each embedder has levels of its "
        "own: bound a quantile, and look at what falls.",
        evidence="Here (`benchmarks/results.md`): a bound at 0.2 found 183 of 200 swapped answers with precision 0.89, "
        "and 178 of 196 filled with boilerplate.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"cosine": pa.float32()}

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        messages = batch.column("messages")
        prompt, prompt_status = embed_texts(self.embedder, texts(messages, "prompt"))
        answer, answer_status = embed_texts(self.embedder, texts(messages, "answer"))
        cosine = np.einsum("nd,nd->n", prompt, answer).clip(-1, 1)
        return {"cosine": cosine, "status": np.maximum(prompt_status, answer_status)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=2 * pool.rows, tokens=pool.tokens)
