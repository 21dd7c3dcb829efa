"""A causal language model as what methods ask of it: losses, likelihoods, hidden states, answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import FloatArray, Status, UsageError
from dataflywheel.models.files import folder_digest, models_folder, resolve_folder
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.meter import count
from dataflywheel.models.language.scoring import (
    AnswerScores,
    answer_scores,
    autocast,
    head_is_linear,
    last_hidden,
    pad_batch,
)
from dataflywheel.models.packaged import packaged, packaged_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import ChatFormat, Conversation, EncodedRow, Turns, as_chat
from dataflywheel.models.templates.chat_template import merge_system
from dataflywheel.rows.schema import message
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

Pooling = Literal["mean", "weighted", "last"]

MAX_TOKENS = 16_384
"""Padded tokens of one forward pass."""


class LanguageModel:
    """Weights, tokenizer and chat format of one folder. Sequences are bounded by the model's own context."""

    def __init__(self, model: Any, tokenizer: Any, folder: Path, dtype: str = "float32") -> None:
        self.model, self.tokenizer, self.folder, self.dtype = model, tokenizer, folder, dtype
        self.chat = ChatFormat(tokenizer)
        pad, eos = tokenizer.pad_token_id, tokenizer.eos_token_id
        self.pad_id: int = pad if pad is not None else eos if eos is not None else 0

    @classmethod
    def load(cls, spec: ModelSpec, cache_dir: Path | None = None) -> LanguageModel:
        """Load a folder or hub model in float32, on the GPU where there is one. Code from the model never runs.

        Raises:
            UsageError: an endpoint, or a built-in model, which is trained first and then loaded by its folder.
        """
        folder = local_folder(spec, cache_dir)
        quiet_transformers()
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        return cls(model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer, folder, spec.dtype)

    @property
    def digest(self) -> str:
        return folder_digest(self.folder)

    @property
    def context(self) -> int:
        """The longest sequence that the model was built for, in tokens."""
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", 1 << 20))

    @property
    def hidden_size(self) -> int:
        return int(self.model.config.get_text_config().hidden_size)

    @property
    def parameters(self) -> int:
        """Number of weights, tied ones counted once."""
        return sum(weight.numel() for weight in self.model.parameters())

    @cached_property
    def linear(self) -> bool:
        """Whether logits are the output embedding times the last hidden state."""
        return head_is_linear(self.model)

    def encode(
        self, rows: Sequence[Conversation], max_length: int | None = None, turns: Turns | None = None
    ) -> list[EncodedRow]:
        """Tokens of each row up to its final answer, at most `max_length` and the model's context. With `turns`, its
        spans are those that are learned, of the turns that stand in the text as they stood when they were the last."""
        return self.chat.encode(rows, min(max_length or self.context, self.context), turns)

    def examples(
        self, rows: Sequence[Conversation], max_length: int | None = None, turns: Turns = "all"
    ) -> list[EncodedRow]:
        """What is learned from each row, an example or more a row; see `ChatFormat.examples`."""
        return self.chat.examples(rows, min(max_length or self.context, self.context), turns)

    def answer_scores(
        self, rows: Sequence[EncodedRow], *, alone: bool = False, detail: bool = False, max_tokens: int = MAX_TOKENS
    ) -> AnswerScores:
        """Likelihood of each answer given its prompt, or `alone`: after nothing but BOS and the answer's header.

        Both read the same answer tokens, end of turn included. `detail` adds entropy and margin.
        """
        sequences = [row.sequence(alone) for row in rows]
        read = [len(ids) for ids, places in sequences if len(places)]
        count(len(read), sum(read))
        return answer_scores(
            self.model,
            sequences,
            pad_id=self.pad_id,
            dtype=self.dtype,
            linear=self.linear,
            detail=detail,
            max_tokens=max_tokens,
        )

    def learned_scores(self, examples: Sequence[EncodedRow], *, max_tokens: int = MAX_TOKENS) -> AnswerScores:
        """Likelihood of the tokens that are learned from each example, all its turns together."""
        count(len(examples), sum(len(one.ids) for one in examples))
        return answer_scores(
            self.model,
            [(one.ids, one.learned) for one in examples],
            pad_id=self.pad_id,
            dtype=self.dtype,
            linear=self.linear,
            detail=False,
            max_tokens=max_tokens,
        )

    def loglikelihood(
        self,
        prompts: Sequence[Conversation],
        continuations: Sequence[Sequence[str]],
        max_length: int | None = None,
    ) -> list[FloatArray]:
        """Log-likelihood in nats of each continuation as the whole answer to its prompt: one array a prompt. NaN for a
        continuation that does not fit, for what was cut off would have cost nothing."""
        pairs = [(as_chat(p), c) for p, options in zip(prompts, continuations, strict=True) for c in options]
        answered = [replace(p, messages=[*p.messages, message("assistant", c)]) for p, c in pairs]
        encoded = self.encode(answered, max_length)
        whole = np.array([row.ended or row.status != Status.TRUNCATED for row in encoded], dtype=bool)
        total = np.where(whole, -self.answer_scores(encoded).total, np.nan)
        return np.split(total, np.cumsum([len(options) for options in continuations])[:-1])

    def hidden_states(
        self, rows: Sequence[EncodedRow], pooling: Pooling = "weighted", max_tokens: int = MAX_TOKENS
    ) -> FloatArray:
        """Last layer pooled over the n tokens of each row, float32 (rows, d); NaN for a row without tokens.

        `mean`; `weighted`: sum of i h_i over sum of i for i = 1..n (SGPT, arXiv 2202.08904); `last`.
        """
        import torch

        pooled = np.full((len(rows), self.hidden_size), np.nan, dtype=np.float32)
        members = [i for i, row in enumerate(rows) if row.ids]
        for width, part in batches([len(rows[i].ids) for i in members], max_tokens):
            chosen = [members[j] for j in part]
            lengths = torch.tensor([len(rows[i].ids) for i in chosen], device=self.model.device)[:, None]
            step = torch.arange(1, width + 1, device=self.model.device)[None]
            weight = {"mean": step <= lengths, "weighted": step * (step <= lengths), "last": step == lengths}[pooling]
            weight = weight.float() / weight.sum(dim=1, keepdim=True)
            with torch.inference_mode(), autocast(self.model, self.dtype):
                ids = pad_batch([rows[i].ids for i in chosen], width, self.pad_id, self.model.device)
                states = last_hidden(self.model, ids).float()
            pooled[chosen] = torch.einsum("bt,btd->bd", weight, states).cpu().numpy()
        return pooled


def local_folder(spec: ModelSpec, cache_dir: Path | None = None) -> Path:
    """Where the weights of a local model lie."""
    if spec.builtin is not None:
        raise UsageError(f"the built-in {spec.builtin!r} model is trained on a pool first; then give its folder as hf")
    if spec.hf is None:
        raise UsageError(f"{spec.endpoint} is an endpoint: likelihoods and training need a local model (hf)")
    folder = packaged_folder(spec.hf, cache_dir) if packaged(spec.hf) else resolve_folder(spec.hf, cache_dir)
    return with_merged_system(folder, cache_dir) if spec.system == "merge" else folder


def with_merged_system(folder: Path, cache_dir: Path | None = None) -> Path:
    """A model folder whose chat template puts system texts before the first question; `folder` itself where its own
    template shows them. The weights are linked, not copied."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not merge_system(tokenizer):
        return folder
    made = models_folder(cache_dir) / f"merged-{folder_digest(folder)}"

    def make() -> None:
        with atomic_directory(made) as aside:
            tokenizer.save_pretrained(aside)
            for file in folder.iterdir():
                if file.is_file() and not (aside / file.name).exists() and file.name != "chat_template.jinja":
                    (aside / file.name).symlink_to(file.resolve())

    return made_once(made, make)


def chat_format(folder: Path) -> tuple[ChatFormat, int]:
    """How a model's folder shows and cuts conversations, its weights left alone, and the longest sequence that it was
    built for, in tokens."""
    quiet_transformers()
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False).get_text_config()
    return ChatFormat(tokenizer), int(getattr(config, "max_position_embeddings", 1 << 20))


def shared_model(spec: ModelSpec) -> LanguageModel:
    """`LanguageModel.load`, once a process for equal weights: a folder may get those of another training."""
    return _shared(spec, folder_digest(local_folder(spec)))


@lru_cache(maxsize=2)
def _shared(spec: ModelSpec, digest: str) -> LanguageModel:
    return LanguageModel.load(spec)
