"""Bits per byte."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import Card, Status
from dataflywheel.evolution.metrics.model_metric import ModelMetric, Scored
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.rows.text import part_of

NO_ANSWER = "no reference answer"


class BitsPerByte(ModelMetric):
    """Bits of the answer over its UTF-8 bytes; comparable between tokenizers. The end of turn is paid for too.

    An answer that does not fit the model's context is not scored: its bytes beyond the cut cost nothing.
    """

    card: ClassVar[Card] = Card(
        title="The Pile: An 800GB Dataset of Diverse Text for Language Modeling",
        authors="Gao et al.",
        year=2020,
        paper="2101.00027",
        category="evolution",
        subcategory="metrics",
        summary="Bits that the model needs for a byte of the reference answers.",
        needs=("target",),
        checked="the sum of the model's losses by hand",
        pays="Small students, and comparisons of data, where generated answers are all wrong still; also across "
        "tokenizers.",
        fails="It rewards the references' wording: a right answer in other words costs bits, and a better style than "
        "theirs looks worse; for large models `final_answer` or `win_rate`.",
        evidence="benchmarks/selection.md: with five seeds it tells all seven choices from random on gsm8k; "
        "benchmarks/wheel.md: on python_docs and p3 it shows no arm to differ.",
    )
    better: ClassVar[Literal["lower", "higher"]] = "lower"
    share: ClassVar[bool] = False

    def measure(self, model: LanguageModel, messages: list[Any], rows: pa.Table) -> Scored:
        encoded = model.encode(chats_of(rows))
        total = model.answer_scores(encoded).total / math.log(2)
        size = np.array([len(part_of(m, "answer").encode()) for m in messages], dtype=float)
        whole = np.array([row.ended or row.status != Status.TRUNCATED for row in encoded])
        return np.where(whole & (size > 0), total, np.nan), size

    def lacks(self, row: Mapping[str, Any]) -> str:
        return "" if part_of(row["messages"], "answer") else NO_ANSWER
