"""A reward as a signal of what a model itself answers: where it does badly, it has something to learn."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics
from dataflywheel.evolution.bridges.rewarded import READ, Rewarded
from dataflywheel.evolution.feedback.answering import answers
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder, shared_model
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.rows.text import split_answer
from dataflywheel.signals.model.model_based import LanguageModelBased

NO_PROMPT = "no prompt"


class OwnAnswer(Rewarded, LanguageModelBased):
    """Column `reward`: what a reward gives the answer that the model itself writes to the row's prompt, the likeliest
    one. MoDS calls rows necessary where it is low.

    With `of: trained` the model that was trained last answers. Status EMPTY with the reason where there is no prompt,
    where the model cannot be asked, or where the reward cannot judge.
    """

    card: ClassVar[Card] = Card(
        title="MoDS: Model-oriented Data Selection for Instruction Tuning",
        authors="Du et al.",
        year=2023,
        paper="2311.15653",
        category="evolution",
        subcategory="bridges",
        summary="The model answers each prompt; a reward model, gate, metric or function scores what it wrote.",
        needs=("model",),
        cost="$$",
        checked="a model taught two of three skills: its rewards tell the third from them; answers one by one",
        pays="More rows than can be learned, a student that knows some of them, and a reward that can tell: rows it "
        "answers badly are worth learning.",
        fails="A low reward may come of a bad question or a short token limit as well as of a gap, and each row costs "
        "a generation: filter by `answer_reward` first, as MoDS does.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"reward": pa.float32()}
    reads: ClassVar[tuple[str, ...]] = READ
    batch_size: ClassVar[int] = 256

    max_new_tokens: int = Field(default=128, ge=1)
    """Tokens of an answer, at most; never more than half of the model's context."""

    def model_digest(self) -> str:
        return f"{folder_digest(local_folder(self.model))}:{self.reward_digest()}"

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=pool.tokens + pool.rows * self.max_new_tokens // 2)

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        model, rows = shared_model(self.model), batch.to_pylist()
        prompts = [split_answer(row["messages"])[0] for row in rows]
        able = [i for i, prompt in enumerate(prompts) if prompt]
        chats = chats_of(batch)
        questions = [replace(chats[i], messages=prompts[i]) for i in able]
        tokens = min(self.max_new_tokens, max(1, model.context // 2))
        why, texts = [NO_PROMPT] * len(rows), [""] * len(rows)
        for i, made in zip(able, answers(model, questions, tokens) if able else [], strict=True):
            why[i], texts[i] = made.why, made.texts[0] if made.texts else ""
        return self.rewards(texts, rows, why)
