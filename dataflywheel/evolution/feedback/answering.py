"""Answers of the model that is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import orjson

from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.decoding import Draw, decode, ending, written
from dataflywheel.models.language.language_model import MAX_TOKENS, LanguageModel
from dataflywheel.models.language.meter import count
from dataflywheel.models.templates.chat import Chat
from dataflywheel.models.templates.shown import lost_tools
from dataflywheel.models.templates.spelled_out import BREAK
from dataflywheel.rows.thoughts import split_thoughts

UNSEEN = "the model sees no images or sounds"
REFUSED = "the chat template refuses the question"
NO_TOOLS = "the chat template does not show the tools"
TOO_LONG = "the question does not fit the model's context beside an answer"


@dataclass(slots=True)
class Answered:
    """What was written to one question, without the thoughts before it; `why` nothing was, where it was not asked."""

    texts: list[str] = field(default_factory=list)
    why: str = ""


def answers(
    model: LanguageModel, questions: Sequence[Chat], tokens: int, samples: int = 1, temperature: float = 0.0
) -> list[Answered]:
    """`samples` answers to each question, as the model's own template puts it with its tools: the likeliest where the
    temperature is 0, else drawn by generators that depend on the question and the number of the sample alone. A
    question is asked whole or not at all."""
    found = [Answered() for _ in questions]
    draws: list[tuple[int, Draw]] = []
    for place, question in enumerate(questions):
        text, found[place].why = _asked(model, question)
        if found[place].why:
            continue
        ids = model.chat.backend.encode(text, add_special_tokens=False).ids
        if not 0 < len(ids) <= model.context - tokens:
            found[place].why = TOO_LONG
            continue
        for number in range(samples):
            generator = np.random.default_rng(_seed(text, number)) if temperature else None
            draws.append((place, Draw(ids, tokens, temperature, generator=generator)))
    ends = ending(model.model, model.chat)
    for _, part in batches([len(draw.prompt) + tokens for _, draw in draws], MAX_TOKENS):
        decode(model.model, [draws[i][1] for i in part], model.pad_id, ends, model.dtype)
    count(len(draws), sum(len(draw.prompt) + len(draw.ids) for _, draw in draws))
    for place, draw in draws:
        ids = draw.ids[:-1] if draw.ended else draw.ids
        text = written(model.tokenizer, ids, draw.prompt, calls=questions[place].tools is not None)
        found[place].texts.append(split_thoughts(text)[1])
    return found


def _asked(model: LanguageModel, question: Chat) -> tuple[str, str]:
    """The question as the model reads it, or why it cannot."""
    if question.media:
        return "", UNSEEN
    try:
        text = model.chat.render([question], add_generation_prompt=True)[0]
    except Exception:  # whatever a template raises
        return "", REFUSED
    tools = orjson.loads(question.tools) if question.tools else []
    return text, NO_TOOLS if lost_tools(text.replace(BREAK, ""), tools, question.messages) else ""


def _seed(text: str, number: int) -> int:
    return int.from_bytes(blake2b(repr((text, number)).encode(), digest_size=8).digest(), "big")
