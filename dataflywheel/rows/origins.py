"""Where each row came from: `origins.parquet` beside the parts, one entry a row read, merged copies included."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.rows.identity import hex_ids

Array = np.ndarray[Any, np.dtype[Any]]
GROUP = 100_000
"""Entries that are held before they are written, as a row group."""
ORIGINS = pa.schema([pa.field("id", pa.string()), pa.field("file", pa.string()), pa.field("line", pa.int64())])


class OriginsWriter:
    """Writes (id, file, line) in the order of reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out = pq.ParquetWriter(path, ORIGINS, compression="zstd", compression_level=1)
        self._waiting: list[pa.Table] = []
        self._rows = 0
        self._empty = True

    def add(self, ids: Array, file: str, lines: Array) -> None:
        """The next rows, all of one file.

        Args:
            ids: (n, 2) uint64. lines: (n,) lines or records, from 1.
        """
        held = [hex_ids(ids.astype(">u8").tobytes()), pa.repeat(pa.scalar(file, pa.string()), len(ids)), lines]
        self._waiting.append(pa.table(held, schema=ORIGINS))
        self._rows += len(ids)
        while self._rows >= GROUP:
            self._write(GROUP)

    def _write(self, rows: int) -> None:
        held = pa.concat_tables(self._waiting) if self._waiting else ORIGINS.empty_table()
        self._out.write_table(held.slice(0, rows).combine_chunks())
        self._waiting, self._rows = [held.slice(rows)], len(held) - rows
        self._empty = False

    def __enter__(self) -> OriginsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and (self._rows or self._empty):
            self._write(self._rows)
        self._out.close()
        if kind is not None:
            self._path.unlink(missing_ok=True)


def origins_of(directory: Path, id: str) -> list[tuple[str, int]]:
    """Every (file, line) that a row was read from, first one first; empty when the row is unknown."""
    found = pq.read_table(directory / "origins.parquet", filters=pc.field("id") == id)
    return list(zip(found["file"].to_pylist(), found["line"].to_pylist(), strict=True))
