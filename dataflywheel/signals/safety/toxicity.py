"""Toxicity of a row by the user's own labels."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.text import Part, texts
from dataflywheel.signals.safety.toxicity_labels import ToxicityLabels


class Toxicity(ToxicityLabels, Signal):
    """Calibrated probability that a row is toxic, by a classifier trained on labelled rows.

    - `score`: the probability of the row's worst sentence (of up to 40 words).
    - `toxic`: 1 where the score exceeds the threshold of `false_positive_rate`, else 0.

    To drop rows, bound a column in `filter`: `bounds: {toxicity.toxic: [null, 0]}` or `{toxicity.score: [null, 0.5]}`.
    The classifier knows the toxicity of its labels and no other: `enhancement.toxicity.audit` shows what that is worth
    elsewhere. Status EMPTY, and no value, for a row without a letter or digit.
    """

    card: ClassVar[Card] = Card(
        title="Automated Hate Speech Detection and the Problem of Offensive Language",
        authors="Davidson et al.",
        year=2017,
        paper="1703.04009",
        category="signals",
        subcategory="safety",
        summary="Probability of toxicity by hashed n-grams and logistic regression on the user's labels, calibrated.",
        needs=("labels",),
        checked="scikit-learn's own pipeline; false positives held out; cross-set and by-group audit",
        pays="Some thousand labelled rows of the same kind of text as the pool, by the rule of your own house.",
        fails="On other texts it knows little and flags groups for being named: run the audit, look at groups, and "
        "take a `classifier` or `ask` where yours fails.",
        evidence="Here (`benchmarks/gates.md`), trained on tweets: AUC 0.982 on its own kind, 0.631 on "
        "toxigen_prompts; at 10 % false positives 38 % of praise was rejected.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"score": pa.float32(), "toxic": pa.int8()}

    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""

    def model_digest(self) -> str:
        return self.labels_digest()

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        classifier = self.classifier()
        scores = classifier.scores(texts(batch["messages"], self.part)).astype(np.float32)
        empty = np.isnan(scores)
        toxic = (scores > np.float32(classifier.threshold(self.false_positive_rate))).astype(np.int8)
        return {
            "score": scores,
            "toxic": pa.array(toxic, mask=empty),
            "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8),
        }
