"""A reward model: a classifier with one output that was trained on people's preferences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Reward, UsageError
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.rows.text import split_answer, transcript
from dataflywheel.rows.thoughts import split_thoughts


class RewardModel(Reward):
    """The one output, a logit of any size and sign, of a classifier that reads a prompt with an answer, such as
    `OpenAssistant/reward-model-deberta-v3-large-v2`.

    A model with a chat template reads the conversation as its template shows it, any other the prompt and the answer as
    a pair of texts. Answers are read without their thoughts; what is longer than `max_length` is cut at its end. An
    empty answer has no reward.
    """

    card: ClassVar[Card] = Card(
        title="Training language models to follow instructions with human feedback",
        authors="Ouyang et al.",
        year=2022,
        paper="2203.02155",
        category="evolution",
        subcategory="judging",
        summary="Scores answers by a local reward model, in place of a judge that is asked.",
        needs=("model",),
        cost="$",
        checked="plain transformers, one pair at a time, of classifiers with and without a chat template",
    )

    hf: str
    """A folder or hub name of a sequence classifier with one output, in safetensors."""
    max_length: int = Field(default=512, ge=8)
    """Tokens that are read; never more than the model's own context."""
    batch_size: int = Field(default=16, ge=1)
    """Answers that are read at once."""

    def contents(self) -> str:
        return folder_digest(resolve_folder(self.hf))

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        if not completions:
            return []
        folder = resolve_folder(self.hf)
        model, tokenizer = _loaded(folder, folder_digest(folder))
        said = [split_thoughts(text)[1] for text in completions]
        prompts = [split_answer(row["messages"])[0] for row in rows]
        able = [i for i, text in enumerate(said) if text.strip()]
        # rows of like length share a batch, where less is padded
        able.sort(key=lambda i: (len(transcript(prompts[i])) + len(said[i]), i))
        found: list[float | None] = [None] * len(said)
        for start in range(0, len(able), self.batch_size):
            part = able[start : start + self.batch_size]
            tokens = self._tokens(tokenizer, model, [prompts[i] for i in part], [said[i] for i in part])
            for i, value in zip(part, _logits(model, tokens), strict=True):
                found[i] = float(value) if np.isfinite(value) else None
        return found

    def _tokens(self, tokenizer: Any, model: Any, prompts: Sequence[Any], answers: Sequence[str]) -> Any:
        longest = min(self.max_length, int(getattr(model.config, "max_position_embeddings", self.max_length)))
        options = {"truncation": True, "max_length": longest, "padding": True, "return_tensors": "pt"}
        if tokenizer.chat_template is None:
            return tokenizer([transcript(prompt) for prompt in prompts], list(answers), **options)
        turns = [
            [*({"role": m["role"], "content": m["content"]} for m in prompt), {"role": "assistant", "content": answer}]
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
        texts = [tokenizer.apply_chat_template(one, tokenize=False) for one in turns]
        return tokenizer(texts, add_special_tokens=False, **options)


def _logits(model: Any, tokens: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(**tokens.to(model.device)).logits.float().cpu().numpy()[:, 0]


@lru_cache(maxsize=1)
def _loaded(folder: Path, digest: str) -> tuple[Any, Any]:
    """Model and tokenizer, once for equal contents of the folder. Code from the model never runs.

    Raises:
        UsageError: it has not one output.
    """
    quiet_transformers()
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    if model.config.num_labels != 1:
        raise UsageError(
            f"reward_model: {folder} has {model.config.num_labels} outputs, and a reward model has one; name another"
        )
    if model.config.pad_token_id is None:  # without it a head on a decoder reads the padding
        model.config.pad_token_id = tokenizer.pad_token_id
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer
