"""Drift between two data sets as they lie on disk: files, folders of rows or runs."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Columns, FlywheelError
from dataflywheel.enhancement.distribution.drift import DriftTest, drift
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row, table
from dataflywheel.rows.text import texts
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.text.text_statistics import TextStatistics

SAMPLE = 2_000
"""Rows of each side that are compared, at most: more make no test clearer that matters."""


def drift_of_files(
    a: str, b: str, *, embedder: EmbedderSpec | None = None, sample: int = SAMPLE, seed: int = 0
) -> list[DriftTest]:
    """Tests of lengths and tags, and with an `embedder` of meaning, on `sample` distinct rows of each side.

    Which rows are drawn follows from their content alone. Sources are no evidence: a file gives its own name to rows
    that have none.

    Raises:
        FlywheelError: a side holds no row.
    """
    before, after = (_columns(path, embedder, sample) for path in (a, b))
    return drift(before, after, labels=("row.tags",), seed=seed)


def _columns(path: str, embedder: EmbedderSpec | None, sample: int) -> Columns:
    # Ids are digests of content: the smallest of them are a random draw, whatever the order in the file.
    drawn = heapq.nsmallest(sample, _distinct(path), key=lambda row: row["id"])
    if not drawn:
        raise FlywheelError(f"drift: {path} holds no row")
    (batch,) = table(drawn).combine_chunks().to_batches()
    measured = TextStatistics().measure(batch)
    names = ("tokens_prompt", "tokens_answer")
    values = {f"text.{name}": _numbers(measured[name]) for name in names}
    tags = np.empty(len(drawn), dtype=object)
    tags[:] = [row["tags"] for row in drawn]
    if any(row["tags"] for row in drawn):
        values["row.tags"] = tags
    if embedder is not None:
        values["embedding.vector"], _ = embed_texts(embedder, texts(batch.column("messages")))
    return Columns(np.array([row["id"] for row in drawn]), values)


def _distinct(path: str) -> Iterator[Row]:
    seen: set[str] = set()
    for parsed in iter_parsed(Input(path)):
        for row in parsed.rows:
            if row["id"] not in seen:
                seen.add(row["id"])
                yield row


def _numbers(column: object) -> AnyArray:
    array = column if isinstance(column, pa.Array) else pa.array(column)
    return np.asarray(array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))
