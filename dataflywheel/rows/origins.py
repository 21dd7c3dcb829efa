"""Where each row came from: `origins.parquet` beside the parts, one entry a row read, merged copies included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Array = np.ndarray[Any, np.dtype[Any]]
GROUP = 100_000
ORIGINS = pa.schema([pa.field("id", pa.string()), pa.field("file", pa.string()), pa.field("line", pa.int64())])


def write_origins(path: Path, ids: Array, files: Array, lines: Array, names: Sequence[str]) -> None:
    """Write (id, file, line) in the order of reading.

    Args:
        ids: (n, 2) uint64. files: (n,) positions in `names`. lines: (n,) lines or records, from 1.
    """
    with pq.ParquetWriter(path, ORIGINS, compression="zstd", compression_level=1) as writer:
        for start in range(0, max(len(ids), 1), GROUP):
            part = slice(start, start + GROUP)
            digits = ids[part].astype(">u8").tobytes().hex()
            rows = [digits[i : i + 32] for i in range(0, len(digits), 32)]
            where = pa.DictionaryArray.from_arrays(pa.array(files[part]), pa.array(list(names), pa.string()))
            columns = [pa.array(rows, pa.string()), where.cast(pa.string()), pa.array(lines[part])]
            writer.write_table(pa.table(columns, schema=ORIGINS))


def origins_of(directory: Path, id: str) -> list[tuple[str, int]]:
    """Every (file, line) that a row was read from, first one first; empty when the row is unknown."""
    found = pq.read_table(directory / "origins.parquet", filters=pc.field("id") == id)
    return list(zip(found["file"].to_pylist(), found["line"].to_pylist(), strict=True))
