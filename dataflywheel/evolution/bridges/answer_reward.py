"""A reward as a signal of a row's own answer."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal
from dataflywheel.evolution.bridges.rewarded import READ, Rewarded
from dataflywheel.rows.text import answer_said


class AnswerReward(Rewarded, Signal):
    """Column `reward`: what a reward gives the answer that stands in the row, without its thoughts; the higher, the
    better.

    Status EMPTY with the reason where there is no answer, or the reward cannot judge it.
    """

    card: ClassVar[Card] = Card(
        title="MoDS: Model-oriented Data Selection for Instruction Tuning",
        authors="Du et al.",
        year=2023,
        paper="2311.15653",
        category="evolution",
        subcategory="bridges",
        summary="A reward model, gate, metric or function scores each row's answer: its quality.",
        checked="rewards of planted answers; rows without an answer and answers without a verdict have no value",
        pays="Pools of chats with answers of mixed quality, and a reward model for one forward pass a row, before "
        "`diverse_by_score` or a filter.",
        fails="It scores what the reward was trained to like, often length and tone, and scores of two rewards do not "
        "compare: set it beside `length_matched_random`.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"reward": pa.float32()}
    reads: ClassVar[tuple[str, ...]] = READ
    uses_model: ClassVar[bool] = True

    def model_digest(self) -> str:
        return self.reward_digest()

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        rows = batch.to_pylist()
        answers = [answer_said(row["messages"]) for row in rows]
        return self.rewards(answers, rows, ["" if answer.strip() else "no answer" for answer in answers])
