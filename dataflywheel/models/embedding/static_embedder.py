"""A static encoder: one vector a vocabulary entry, made from MiniLM, and a text is the mean of its tokens' vectors.

The recipe is that of model2vec (Tulkens and van Dongen, 2024): a forward pass over the vocabulary, principal
components, and weights by Zipf rank in place of counted frequencies (SIF; Arora et al., ICLR 2017).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.models.embedding.embedder import Embedder, read_as_text
from dataflywheel.models.embedding.minilm import MINILM_TOKENS, MeanPooled, minilm_folder
from dataflywheel.models.files import folder_digest, models_folder
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

VERSION = 1
DIMENSION = 256
READ = 3 * 30_522
"""Tokens that MiniLM reads for it: each entry of its vocabulary, between a start and an end."""
SIF = 1e-4


class StaticEmbedder(Embedder):
    """Made once and kept in `folder` (vectors as safetensors, about 30 MB); then no neural network is loaded."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        from model2vec import StaticModel
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        folder = static_folder(cache_dir)
        made_once(folder, lambda: make_static(folder))
        vectors = load_file(folder / "model.safetensors")["embeddings"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.model = StaticModel(vectors, tokenizer, normalize=True, max_length=None)
        read_as_text(self.model.tokenizer)  # a copy
        self.digest = static_digest()
        self.dimension = int(vectors.shape[1])

    def embed(self, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
        vectors = self.model.encode(list(texts), use_multiprocessing=False)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension), np.zeros(
            len(texts), dtype=bool
        )


def static_folder(cache_dir: Path | None = None) -> Path:
    """Where it lies once it was made."""
    return models_folder(cache_dir) / f"static-{static_digest()}"


def static_digest() -> str:
    text = f"{VERSION}:{DIMENSION}:{SIF}:{folder_digest(minilm_folder())}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def make_static(folder: Path) -> None:
    """Encode every vocabulary entry, reduce, weight, save."""
    from safetensors.numpy import save_file

    teacher = MeanPooled(minilm_folder(), MINILM_TOKENS)
    tokenizer = teacher.tokenizer
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    start, stop = vocabulary["[CLS]"], vocabulary["[SEP]"]
    states = teacher.embed_tokens([[start, i, stop] for i in range(len(vocabulary))], normalise=False, multiple=1)
    entries = sorted(vocabulary, key=vocabulary.__getitem__)
    vectors = principal(states, DIMENSION) * frequency_weights(entries)[:, None]
    with atomic_directory(folder) as aside:
        save_file({"embeddings": vectors}, aside / "model.safetensors")
        tokenizer.no_truncation()
        tokenizer.save(str(aside / "tokenizer.json"))


def principal(states: FloatArray, dimension: int) -> FloatArray:
    """Centred rows (n, d) in the basis of their `dimension` largest principal components."""
    centred = states - states.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    basis = directions[:, ::-1][:, :dimension]
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(dimension)])
    return np.asarray(centred @ (basis * signs), dtype=np.float32)


def frequency_weights(entries: Sequence[str]) -> FloatArray:
    """a / (a + p) for each vocabulary entry, float32 (n,), where p is Zipf's share of its rank; 0 for special entries.

    WordPiece lists words by frequency. Its single characters stand before them in code order, so the ASCII ones are
    ranked first, as the most frequent, and all others last.
    """

    def group(entry: str) -> int:
        if entry.startswith("[") and entry.endswith("]") and len(entry) > 2:
            return 3
        return 1 if len(entry) > 1 else 0 if entry.isascii() else 2

    groups = np.asarray([group(entry) for entry in entries])
    rank = np.empty(len(entries))
    rank[np.argsort(groups, kind="stable")] = np.arange(2, len(entries) + 2)
    share = (1.0 / rank) / (1.0 / rank).sum()
    return np.where(groups == 3, 0.0, SIF / (SIF + share)).astype(np.float32)
