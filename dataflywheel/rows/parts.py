"""A directory of rows: `part-00000.parquet`, `part-00001.parquet`, ... in order, each in the row schema."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.rows.schema import ROW_SCHEMA, upgraded_batch

PART_ROWS = 50_000
GROUP_ROWS = 8192
"""Rows of a row group, the least of a part that is read at once."""
WRITERS = 2
"""Parts that are packed and written at a time, beside whoever makes the rows; so many are held in memory at most."""


class PartWriter:
    """Writes tables of any size as parts of exactly `part_rows` rows (the last may be smaller): same rows, same bytes.

    An empty directory of rows holds one part with no rows. Parts are there when the writer is closed.
    """

    def __init__(self, directory: Path, schema: pa.Schema = ROW_SCHEMA, part_rows: int = PART_ROWS) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.schema, self.part_rows = directory, schema, part_rows
        self.rows = 0
        self._parts = 0
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._threads: ThreadPoolExecutor | None = None
        self._writing: deque[Future[None]] = deque()

    def write(self, rows: pa.Table) -> None:
        self._waiting.append(rows.cast(self.schema))
        self._waiting_rows += len(rows)
        while self._waiting_rows >= self.part_rows:
            joined = pa.concat_tables(self._waiting)
            self._flush(joined.slice(0, self.part_rows))
            self._waiting = [joined.slice(self.part_rows)]
            self._waiting_rows = len(self._waiting[0])

    def _flush(self, rows: pa.Table) -> None:
        path = self.directory / f"part-{self._parts:05d}.parquet"
        self._parts += 1
        self.rows += len(rows)
        if len(rows) < self.part_rows and not self._writing:  # the only part: no thread is worth its start
            write_part(rows, path)
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(WRITERS)
        while len(self._writing) >= WRITERS:
            self._writing.popleft().result()
        self._writing.append(self._threads.submit(write_part, rows, path))

    def close(self) -> None:
        if self._waiting_rows or not self._parts:
            self._flush(pa.concat_tables(self._waiting) if self._waiting else self.schema.empty_table())
        self._waiting, self._waiting_rows = [], 0
        self._end()

    def _end(self) -> None:
        """Wait for the parts under way.

        Raises:
            OSError: one of them could not be written.
        """
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None
        while self._writing:
            self._writing.popleft().result()

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._threads is not None:
            self._threads.shutdown()


def write_part(rows: pa.Table, path: Path) -> None:
    pq.write_table(rows.combine_chunks(), path, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS)


def part_paths(directory: Path) -> list[Path]:
    return sorted(directory.glob("part-*.parquet"))


def count_rows(directory: Path) -> int:
    return sum(pq.ParquetFile(path).metadata.num_rows for path in part_paths(directory))


def iter_batches(
    directory: Path, columns: Sequence[str] | None = None, batch_size: int = 8192
) -> Iterator[pa.RecordBatch]:
    """Batches in row order, those that an earlier version wrote in today's schema; memory is bounded by the batch."""
    for path in part_paths(directory):
        file = pq.ParquetFile(path)
        held = set(file.schema_arrow.names)
        wanted = None if columns is None else [name for name in columns if name in held]
        for batch in file.iter_batches(batch_size=batch_size, columns=wanted):
            yield upgraded_batch(batch, columns)


def iter_among(
    directory: Path,
    ids: pa.Array,
    columns: Sequence[str] | None = None,
    *,
    others: bool = False,
    batch_size: int = 8192,
) -> Iterator[pa.RecordBatch]:
    """`iter_batches` of the rows whose id is among `ids`, or of all `others`; batches may be empty.

    The ids are looked up once for all batches: Arrow hashes them anew at every look, which for every batch would be
    work that grows as the square of the rows.
    """
    among = pc.is_in(read_rows(directory, ["id"])["id"].combine_chunks(), value_set=ids)
    mask = pc.invert(among) if others else among
    start = 0
    for batch in iter_batches(directory, columns, batch_size):
        yield batch.filter(mask.slice(start, len(batch)))
        start += len(batch)


def read_rows(directory: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows at once, in order: for sets that are known to be small (targets, selections)."""
    schema = ROW_SCHEMA if columns is None else pa.schema([ROW_SCHEMA.field(name) for name in columns])
    return pa.Table.from_batches(iter_batches(directory, columns), schema=schema)
