"""Rows of other data sets than the pool's, and which of them are near to a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, UsageError, UserPath
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.words.shingles import text_keys
from dataflywheel.signals.words.term_weights import K1, B, Words, weighted


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str | Path) else given


def _there(files: list[Path]) -> list[Path]:
    lacking = next((path for path in files if not path.is_file()), None)
    if lacking is not None:
        raise ValueError(f"{lacking} does not exist; name files of rows that are no part of the pool")
    return files


OtherFiles = Annotated[list[UserPath], BeforeValidator(_listed), Field(min_length=1), AfterValidator(_there)]
"""One file of rows or several, in any format in which rows are read."""


@dataclass(frozen=True)
class OtherRows:
    """Rows that can be shown, each once; arrays and lists are parallel."""

    rows: list[Row]
    texts: list[str]
    """By which they are looked for: what comes before the answer."""
    files: list[frozenset[int]]
    """The places, among the files given, of those that hold the row."""
    names: list[str]
    """Of the files."""
    holds: dict[str, frozenset[int]]
    """The places of the files that hold a row of these words, answer included."""
    unread: int
    """Entries that are no row, or none that could be shown: without a question or an answer, with media or calls."""

    def of(self, row: Row) -> frozenset[int]:
        """The files that hold this row themselves."""
        (key,) = text_keys([part_of(row["messages"], "all")])
        return self.holds.get(key or "", frozenset())

    def vectors(self, embedder: EmbedderSpec) -> FloatArray:
        """Unit vectors of the texts; zeros where there is nothing to embed."""
        return np.nan_to_num(embed_texts(embedder, self.texts)[0])


def read_other_rows(files: Sequence[Path]) -> OtherRows:
    """The rows of these files as they are now.

    Raises:
        UsageError: one cannot be read, or holds no row with a question and an answer.
    """
    return _read(tuple(files), tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@lru_cache(maxsize=2)
def _read(files: tuple[Path, ...], stamps: tuple[tuple[int, int], ...]) -> OtherRows:
    """Read once a process; `stamps` make changed files a new entry."""
    held: dict[str, tuple[Row, set[int]]] = {}
    unread = 0
    for place, path in enumerate(files):
        try:
            parsed = list(iter_parsed(Input(str(path))))
        except FlywheelError as error:
            raise UsageError(f"others: {path} cannot be read as rows: {error}") from None
        rows = [row for block in parsed for row in block.rows]
        good = [row for row in rows if _can_be_shown(row)]
        unread += len(rows) - len(good) + sum(len(block.quarantined) for block in parsed)
        if not good:
            raise UsageError(f"others: {path} holds no row with a question and an answer; name another file")
        keys = text_keys([part_of(row["messages"], "all") for row in good])
        for key, row in zip(keys, good, strict=True):
            held.setdefault(key or row["id"], (row, set()))[1].add(place)
    found = [row for row, _ in held.values()]
    places = [frozenset(place) for _, place in held.values()]
    texts = [part_of(row["messages"], "prompt") for row in found]
    return OtherRows(found, texts, places, [path.name for path in files], dict(zip(held, places, strict=True)), unread)


def _can_be_shown(row: Row) -> bool:
    calls = any(turn["tool_calls"] for turn in row["messages"])
    whole = all(part_of(row["messages"], part).strip() for part in ("prompt", "answer"))
    return whole and not calls and not row["media"]


def likeness_by_words(queries: Sequence[str], texts: Sequence[str]) -> FloatArray:
    """BM25 of each text for each query (queries, texts), summed over the query's distinct words."""
    asked, said = Words.of(queries), Words.of(texts)
    vocabulary = np.unique(asked.words)
    if not len(vocabulary):
        return np.zeros((len(queries), len(texts)), np.float32)
    counted = asked.counted(vocabulary)
    counted.data[:] = 1
    scores: FloatArray = (counted @ weighted(said.counted(vocabulary), said.number, K1, B).T).toarray()
    return scores


def nearest(scores: FloatArray, allowed: AnyArray, count: int) -> list[list[int]]:
    """For each query the places of the texts it may have with the highest scores, best first; of equals the earlier.

    `scores` and `allowed` are (queries, texts); a text with a score of 0 or less is near to nothing.
    """
    found = np.where(allowed & (scores > 0), scores, -np.inf)
    order = np.argsort(-found, axis=1, kind="stable")[:, :count]
    return [[int(k) for k in row if np.isfinite(found[i, k])] for i, row in enumerate(order)]
