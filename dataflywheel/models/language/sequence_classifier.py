"""A model with a classification head: what it says of a text, as logits by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.rows.schema import Message


@dataclass(frozen=True)
class Read:
    """What is said of n texts: `logits` (n, labels), and whether each was `cut` (n,) at the longest that is read."""

    logits: FloatArray
    cut: AnyArray


@dataclass(frozen=True)
class SequenceClassifier:
    """Weights and tokenizer of one folder. Code from the model never runs."""

    model: Any
    tokenizer: Any
    folder: Path

    @property
    def labels(self) -> list[str]:
        """Names of its outputs, in order."""
        return [str(self.model.config.id2label[i]) for i in range(int(self.model.config.num_labels))]

    @property
    def independent(self) -> bool:
        """Whether several labels may be true of one text."""
        return bool(self.model.config.problem_type == "multi_label_classification")

    @property
    def reads_chats(self) -> bool:
        return self.tokenizer.chat_template is not None

    def shown(self, messages: Sequence[Message]) -> str:
        """A conversation as its chat template shows it."""
        turns = [{"role": turn["role"], "content": turn["content"]} for turn in messages]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False))

    def read(
        self, texts: Sequence[str], seconds: Sequence[str] | None, max_length: int, batch_size: int, chats: bool
    ) -> Read:
        """Logits of each text, with a second text beside it where there are such. Texts of like length share a batch,
        where less is padded.

        Args:
            max_length: tokens that are read; never more than the model's own context.
            chats: texts are shown by the chat template, which writes the special tokens itself.
        """
        longest = min(max_length, int(getattr(self.model.config, "max_position_embeddings", max_length)))
        seconds = seconds or [""] * len(texts)
        sizes = [len(text) + len(second) for text, second in zip(texts, seconds, strict=True)]
        order = sorted(range(len(texts)), key=lambda i: (sizes[i], i))
        logits = np.full((len(texts), len(self.labels)), np.nan, dtype=np.float32)
        cut = np.zeros(len(texts), dtype=bool)
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            pair = ([seconds[i] for i in part],) if any(seconds) else ()
            tokens = self.tokenizer(
                [texts[i] for i in part], *pair, add_special_tokens=not chats, truncation=True, max_length=longest,
                padding=True, return_tensors="pt",
            )  # fmt: skip
            logits[part] = self._logits(tokens)
            cut[part] = [bool(one.overflowing) for one in tokens.encodings]  # of what `tokenizers` made
        return Read(logits, cut)

    def _logits(self, tokens: Any) -> FloatArray:
        import torch

        with torch.inference_mode():
            found: FloatArray = self.model(**tokens.to(self.model.device)).logits.float().cpu().numpy()
        return found


def sequence_classifier(name: str) -> SequenceClassifier:
    """The classifier of a folder or hub name, in float32, on the GPU where there is one.

    Raises:
        UsageError: the folder holds no weights of a classification head.
    """
    folder = resolve_folder(name)
    return _loaded(folder, folder_digest(folder))


@lru_cache(maxsize=1)
def _loaded(folder: Path, digest: str) -> SequenceClassifier:
    quiet_transformers()
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, output_loading_info=True
    )
    if lacking := sorted(told["missing_keys"]):
        raise UsageError(
            f"{folder} is no sequence classifier: it has no weights of {', '.join(lacking[:3])}, which would be "
            "random; name a model that was trained to classify"
        )
    if model.config.pad_token_id is None:  # without it a head on a decoder reads the padding
        model.config.pad_token_id = tokenizer.pad_token_id
    return SequenceClassifier(model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer, folder)
