"""Which encoder is meant, and its identity."""

from __future__ import annotations

from functools import lru_cache

from dataflywheel.models.embedding.embedder import Embedder
from dataflywheel.models.embedding.minilm import MINILM_TOKENS, MeanPooled, minilm_folder
from dataflywheel.models.embedding.sentence_transformer import SentenceTransformer
from dataflywheel.models.embedding.static_embedder import StaticEmbedder, static_digest
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.spec import EmbedderSpec


@lru_cache(maxsize=4)
def shared_embedder(spec: EmbedderSpec) -> Embedder:
    """The encoder that `spec` names, loaded once a process."""
    if spec.builtin == "minilm":
        return MeanPooled(minilm_folder(), MINILM_TOKENS)
    if spec.builtin == "static":
        return StaticEmbedder()
    assert spec.hf is not None
    return SentenceTransformer(resolve_folder(spec.hf))


def embedder_digest(spec: EmbedderSpec) -> str:
    """Identity of the encoder by its files, without loading it."""
    if spec.hf is not None:
        return folder_digest(resolve_folder(spec.hf))
    if spec.builtin == "static":
        return static_digest()
    return folder_digest(minilm_folder())
