"""Likelihood: what a language model makes of a row's answer, with its prompt and without."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Cost, PoolStatistics, Status
from dataflywheel.models.language.language_model import shared_model
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.signals.model.model_based import LanguageModelBased, refusals


class Likelihood(LanguageModelBased):
    """Facts behind perplexity and instruction-following difficulty; the ratio itself is the selector's.

    `loss_answer_given_prompt` and `loss_answer` are nats a token over the same `answer_tokens` (end of turn included);
    the second conditions on the answer's header alone. `entropy` (nats) and `margin` (probability of the likeliest
    token less that of the second) are means over the answer given its prompt. `end_loss` is the surprise (nats) that
    the answer ends where it does, high for one that was cut; NaN where its end was not read. `prompt_tokens` counts
    what was read before the answer. TRUNCATED rows lost the left of their prompt, then the end of their answer.
    """

    card: ClassVar[Card] = Card(
        title="From Quantity to Quality: Boosting LLM Performance with Self-Guided Data Selection",
        authors="Li et al.",
        year=2023,
        paper="2308.12032",
        category="signals",
        subcategory="likelihood",
        summary="Loss of the answer given its prompt and alone, entropy, margin, and surprise at its end.",
        needs=("model",),
        cost="$",
        checked="plain transformers, one row at a time; a model with a copy skill on rows with shuffled answers",
        pays="Two passes of a scorer that serve `ifd`, `perplexity`, `grape` and, by `end_loss`, the search for "
        "answers that were cut.",
        fails="Levels differ by model and pool, so bound quantiles; a small scorer hardly sees that an answer belongs "
        "to another prompt, which `agreement` does.",
        evidence="Here (`benchmarks/results.md`): a bound on `end_loss` found 144 of 195 cut answers with precision "
        "0.83; it reads at 0.85 of the speed of bare passes.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "loss_answer_given_prompt": pa.float32(),
        "loss_answer": pa.float32(),
        "answer_tokens": pa.int32(),
        "prompt_tokens": pa.int32(),
        "entropy": pa.float32(),
        "margin": pa.float32(),
        "end_loss": pa.float32(),
    }
    version: ClassVar[int] = 4
    reads: ClassVar[tuple[str, ...]] = ("messages", "tools", "media")

    max_length: int = Field(default=1024, ge=16)
    """Tokens of a row, at most; never more than the model's own context."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        model = shared_model(self.model)
        rows = model.encode(chats_of(batch), self.max_length)
        given = model.answer_scores(rows, detail=True)
        alone = model.answer_scores(rows, alone=True)
        values = {
            "loss_answer_given_prompt": given.loss,
            "loss_answer": alone.loss,
            "entropy": given.entropy,
            "margin": given.margin,
        }
        status = np.asarray([row.status for row in rows], dtype=np.uint8)
        finite = np.isfinite(list(values.values())).all(axis=0)
        status[(status <= Status.TRUNCATED) & ~finite] = Status.FAILED
        good = status <= Status.TRUNCATED
        found: dict[str, pa.Array | AnyArray] = {
            name: np.where(good, value, np.nan).astype(np.float32) for name, value in values.items()
        }
        ended = good & np.asarray([row.ended for row in rows], dtype=bool)
        last = [logprobs[-1] if end else np.nan for logprobs, end in zip(given.logprobs, ended, strict=True)]
        found["end_loss"] = -np.asarray(last, dtype=np.float32)
        prompt_tokens = np.asarray([row.start for row in rows], dtype=np.int32)
        found["answer_tokens"] = pa.array(given.tokens, mask=~good)
        found["prompt_tokens"] = pa.array(prompt_tokens, mask=~good)
        return found | {"status": status, "error": refusals(rows)}

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=2 * pool.rows, tokens=2 * pool.tokens)
