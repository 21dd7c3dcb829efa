"""Text encoders: texts in, vectors of length one out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from dataflywheel.contracts import AnyArray, FloatArray


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


def read_as_text(tokenizer: Any) -> None:
    """Let a special token that a text spells out (`[SEP]`) be plain text, for tokenizers of either library."""
    for name in ("encode_special_tokens", "split_special_tokens"):
        if hasattr(tokenizer, name):
            setattr(tokenizer, name, True)
