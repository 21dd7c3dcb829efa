"""What signals that lean on a model share: their key in the store, and vectors as Arrow columns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, FloatArray, Signal, Status
from dataflywheel.models.embedding.shared_embedder import embedder_digest, shared_embedder
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.models.templates.encoded import EncodedRow

Pool = Callable[[], pa.Table]
"""The columns `id` and `messages` of the pool's rows."""


def refusals(rows: Sequence[EncodedRow]) -> list[str | None]:
    """Why rows were refused, as by the chat template; None where they have tokens, or no answer."""
    return [row.reason if row.status == Status.FAILED else None for row in rows]


class ModelBased(Signal):
    """A signal that leans on local models. One moved to another folder keeps its key: contents count, not paths."""

    uses_model: ClassVar[bool] = True

    def key(self) -> str:
        digest = hashlib.blake2b(f"{self.placeless().digest()}:{self.model_digest()}".encode(), digest_size=8)
        return f"{self.name}@{self.version}-{digest.hexdigest()}"

    def placeless(self) -> Self:
        """The same parameters without the places of files, which may be moved."""
        specs = {name: getattr(self, name) for name in type(self).model_fields}
        return self.model_copy(
            update={
                name: spec.placeless() for name, spec in specs.items() if isinstance(spec, ModelSpec | EmbedderSpec)
            }
        )


class EmbedderBased(ModelBased):
    """A signal over the vectors of a text encoder."""

    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """`minilm`, `static`, or a sentence-transformers folder."""

    def model_digest(self) -> str:
        return embedder_digest(self.embedder)


class LanguageModelBased(ModelBased):
    """A signal of a causal language model."""

    model: ModelSpec
    """A folder or hub name of a causal language model."""

    def model_digest(self) -> str:
        return folder_digest(local_folder(self.model))


def vector_column(vectors: FloatArray, present: AnyArray) -> pa.Array:
    """Rows of `vectors` (n, d) as lists, float16 or float32 as they are; null where `present` (n,) is False."""
    n, d = vectors.shape
    kind = np.float16 if vectors.dtype == np.float16 else np.float32
    values = pa.array(np.ascontiguousarray(vectors, dtype=kind).reshape(-1))
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * d)
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(~present))


def embed_texts(spec: EmbedderSpec, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
    """Unit vectors (n, d) and statuses (n,): a blank text is EMPTY and a non-finite vector FAILED; both hold NaN."""
    embedder = shared_embedder(spec)
    status = np.full(len(texts), Status.EMPTY, dtype=np.uint8)
    vectors = np.full((len(texts), embedder.dimension), np.nan, dtype=np.float32)
    filled = [i for i, text in enumerate(texts) if text.strip()]
    if filled:
        found, truncated = embedder.embed([texts[i] for i in filled])
        # A vector of length zero: nothing in the text is known to the embedder.
        good = np.isfinite(found).all(axis=1) & (np.abs(found).max(axis=1) > 0)
        vectors[filled] = np.where(good[:, None], found, np.nan)
        status[filled] = np.where(good, np.where(truncated, Status.TRUNCATED, Status.OK), Status.FAILED)
    return vectors, status
