"""Encoders of the library sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.models.embedding.embedder import Embedder, read_as_text
from dataflywheel.models.files import folder_digest
from dataflywheel.models.quiet import quiet_transformers


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
