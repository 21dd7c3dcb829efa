"""Answers of the model that is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from dataflywheel.models.batching import batches
from dataflywheel.models.decoding import Draw, decode
from dataflywheel.models.language_model import MAX_TOKENS, LanguageModel
from dataflywheel.rows.schema import Message


def answers(
    model: LanguageModel, prompts: Sequence[Sequence[Message]], tokens: int, samples: int = 1, temperature: float = 0.0
) -> list[list[str]]:
    """`samples` answers to each prompt: the likeliest where the temperature is 0, else drawn by generators that depend
    on the prompt and the number of the sample alone."""
    if samples == 1 and not temperature:
        return [[text] for text in model.generate(prompts, tokens)]
    texts = model.chat.render(prompts, add_generation_prompt=True)
    room = max(1, model.context - tokens)
    encoded = [e.ids[-room:] for e in model.chat.backend.encode_batch(texts, add_special_tokens=False)]
    draws = [
        Draw(ids, tokens, temperature, generator=np.random.default_rng(_seed(text, number)))
        for text, ids in zip(texts, encoded, strict=True)
        for number in range(samples)
    ]
    ends = _ends(model)
    for _, part in batches([len(draw.prompt) + tokens for draw in draws], MAX_TOKENS):
        decode(model.model, [draws[i] for i in part], model.pad_id, ends, model.dtype)
    said = [str(model.tokenizer.decode(draw.ids, skip_special_tokens=True)) for draw in draws]
    return [said[i : i + samples] for i in range(0, len(said), samples)]


def _seed(text: str, number: int) -> int:
    return int.from_bytes(blake2b(repr((text, number)).encode(), digest_size=8).digest(), "big")


def _ends(model: LanguageModel) -> frozenset[int]:
    given: Any = getattr(model.model.generation_config, "eos_token_id", None)
    listed = given if isinstance(given, list) else [given]
    return frozenset(i for i in (*listed, model.tokenizer.eos_token_id) if i is not None)
