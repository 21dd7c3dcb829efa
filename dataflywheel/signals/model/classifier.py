"""What a sequence classifier says of a row: quality, subject, toxicity, a reward."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Signal
from dataflywheel.signals.model.classifying import Classifying


class Classifier(Classifying, Signal):
    """Any classifier that `transformers` loads as a sequence classifier, of a folder or the hub.

    - `score`: the probability of `label`, by softmax, or by itself where several labels may be true (the model's
      `problem_type`); of a model with one output, such as a reward model or a grader, that output as it is.
    - `label`: the likeliest label; null where the model has one output.

    `signals: {toxic: {classifier: {hf: unitary/toxic-bert, label: toxic}}}` gives `toxic.score`, to bound in
    `filter` or to select by. Status EMPTY where there is nothing to read.
    """

    card: ClassVar[Card] = Card(
        title="The FineWeb Datasets: Decanting the Web for the Finest Text Data at Scale",
        authors="Penedo et al.",
        year=2024,
        paper="2406.17557",
        category="signals",
        subcategory="model",
        summary="Scores rows by a sequence classifier: quality, subject, toxicity, reward.",
        needs=("model",),
        cost="$",
        checked="plain transformers, one text at a time: one output, exclusive and independent labels, chats",
        pays="Pools too large to ask a model about, where a grader for just this (quality, subject, toxicity, reward) "
        "exists in the rows' language.",
        fails="Away from the texts that it was trained on its levels mean little: read rows at both ends of the score "
        "before you bound it, or `ask` about a sample.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"score": pa.float32(), "label": pa.string()}
    uses_model: ClassVar[bool] = True

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        found = self.classified(batch["messages"].to_pylist())
        return {"score": found.score, "label": pa.array(found.label, pa.string()), "status": found.status}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=pool.tokens)
