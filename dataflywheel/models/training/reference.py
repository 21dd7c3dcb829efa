"""Losses of a reference model: what samplers measure the trained model against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import Turns, chats_of
from dataflywheel.models.templates.encoded import example_ids

ReferenceLosses = Mapping[str, FloatArray]
"""Nats of each token that is learned, by example (see `example_ids`); one that is not in it has no reference."""


def reference_losses(
    rows: pa.Table, model: Path | ModelSpec | LanguageModel, max_length: int, turns: Turns = "all"
) -> ReferenceLosses:
    """Nats of each token that is learned from `rows` (with `id` and `messages`) under `model`, by example.

    `max_length` and `turns` are those of the training, so that both read the same tokens. Rows without an answer, and
    those whose loss is not finite, are left out.
    """
    if not isinstance(model, LanguageModel):
        model = LanguageModel.load(model if isinstance(model, ModelSpec) else ModelSpec(hf=str(model)))
    examples = model.examples(chats_of(rows), max_length, turns)
    scores = model.learned_scores(examples)
    ids = example_ids(rows["id"].to_pylist(), examples)
    return {
        id: -logprobs for id, logprobs, loss in zip(ids, scores.logprobs, scores.loss, strict=True) if np.isfinite(loss)
    }


def aligned(reference: ReferenceLosses, ids: Sequence[str], answer_tokens: Sequence[int]) -> list[FloatArray]:
    """The losses of each of the rows `ids`, empty where there is none.

    Raises:
        UsageError: a row's losses are not those of its answer tokens.
    """
    nothing = np.empty(0, dtype=np.float32)
    found = [np.asarray(reference.get(id, nothing), dtype=np.float32) for id in ids]
    for id, losses, tokens in zip(ids, found, answer_tokens, strict=True):
        if len(losses) not in (0, tokens):
            raise UsageError(
                f"row {id} has {tokens} answer tokens and {len(losses)} reference losses: "
                "the reference must have the student's tokenizer, and be measured at the training's max_length"
            )
    return found
