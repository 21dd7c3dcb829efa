"""A directory of rows: `part-00000.parquet`, `part-00001.parquet`, ... in order, each in the row schema.

A part has the column `weight` where one of its rows has a weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Condition
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.rows.schema import ROW_SCHEMA, upgraded_batch

PART_ROWS = 50_000
GROUP_ROWS = 8192
"""Rows of a row group, the least of a part that is read at once."""
WRITERS = 2
"""Parts that are packed and written at a time, beside whoever makes the rows."""
WAITING_BYTES = 16 << 20
"""Rows that wait to be packed; whoever makes more of them waits too."""

Groups = SimpleQueue[pa.Table | None]


class PartWriter:
    """Writes tables of any size as parts of exactly `part_rows` rows (the last may be smaller): same rows, same bytes.

    An empty directory of rows holds one part with no rows. Parts are there when the writer is closed. However many and
    long the rows, memory holds `WAITING_BYTES` of them beside the row groups that are packed.
    """

    def __init__(self, directory: Path, schema: pa.Schema = ROW_SCHEMA, part_rows: int = PART_ROWS) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.schema, self.part_rows = directory, schema, part_rows
        self.rows = 0
        self._tables = [schema.empty_table()]
        self._table_rows = 0
        self._threads: ThreadPoolExecutor | None = None
        self._parts: list[Future[None]] = []
        self._part: Groups | None = None
        self._room = Condition()
        self._waiting, self._failed = 0, False

    def write(self, rows: pa.Table) -> None:
        self._tables.append(rows.cast(self.schema))
        self._table_rows += len(rows)
        while self._table_rows >= (size := min(GROUP_ROWS, self.part_rows - self.rows % self.part_rows)):
            self._give(size)
            if self.rows % self.part_rows == 0:
                self._end_part()

    def _give(self, size: int) -> None:
        """Hand a row group to the thread that packs its part, once there is room."""
        group = self._take(size)
        if self._part is None:
            self._threads = self._threads or ThreadPoolExecutor(WRITERS)
            self._part = SimpleQueue()
            self._parts.append(self._threads.submit(self._pack, len(self._parts), self._part))
        with self._room:
            self._room.wait_for(lambda: self._failed or self._waiting <= WAITING_BYTES)
            self._waiting += group.nbytes
        if self._failed:
            self._end()
        self._part.put(group)

    def _take(self, size: int) -> pa.Table:
        joined = pa.concat_tables(self._tables)
        self._tables, self._table_rows = [joined.slice(size)], len(joined) - size
        self.rows += size
        return joined.slice(0, size)

    def _pack(self, number: int, groups: Groups) -> None:
        path = self.directory / f"part-{number:05d}.parquet"
        try:
            with _Part(path, self.schema) as out:
                while (group := groups.get()) is not None:
                    out.write(group)
                    pa.default_memory_pool().release_unused()  # each thread would keep what it has freed
                    self._packed(group.nbytes)
        except BaseException:
            self._failed = True
            self._packed(0)
            raise

    def _packed(self, size: int) -> None:
        with self._room:
            self._waiting -= size
            self._room.notify_all()

    def _end_part(self) -> None:
        if self._part is not None:
            self._part.put(None)
            self._part = None

    def close(self) -> None:
        if self._threads is None:  # the only part, and less than a group: no thread is worth its start
            only: Groups = SimpleQueue()
            only.put(self._take(self._table_rows))
            only.put(None)
            self._pack(0, only)
        elif self._table_rows:
            self._give(self._table_rows)
        self._end()

    def _end(self) -> None:
        """Wait for the parts under way.

        Raises:
            OSError: one of them could not be written.
        """
        self._end_part()
        if self._threads is not None:
            self._threads.shutdown()
        for part in self._parts:
            part.result()

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        self._end_part()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


class _Part:
    """One file under way: rows that all count alike lie there without the column `weight`, as they did before rows
    could have one."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        weight = schema.get_field_index("weight")
        self._open(schema if weight < 0 else schema.remove(weight))

    def _open(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.out = pq.ParquetWriter(self.path, schema, compression="zstd", compression_level=1)

    def write(self, group: pa.Table) -> None:
        if group.schema != self.schema and group["weight"].null_count < len(group):
            self._widen(group.schema)
        self.out.write_table(group.select(self.schema.names).combine_chunks(), row_group_size=GROUP_ROWS)

    def _widen(self, schema: pa.Schema) -> None:
        """The first row with a weight: those before it are written again, with the column."""
        self.out.close()
        before = pq.ParquetFile(self.path).read()
        self._open(schema)
        unweighted = pa.nulls(len(before), schema.field("weight").type)
        self.out.write_table(before.append_column("weight", unweighted).cast(schema), row_group_size=GROUP_ROWS)

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *raised: object) -> None:
        self.out.close()


def part_paths(directory: Path) -> list[Path]:
    return sorted(directory.glob("part-*.parquet"))


def count_rows(directory: Path) -> int:
    return sum(pq.ParquetFile(path).metadata.num_rows for path in part_paths(directory))


def has_weights(directory: Path) -> bool:
    """Whether any row of a directory has a weight."""
    return any("weight" in pq.read_schema(path).names for path in part_paths(directory))


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


def whole_batches(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in order, in batches of so many; the last one may be smaller."""
    held: list[pa.RecordBatch] = []
    waiting = 0
    for batch in batches:
        held, waiting = [*held, batch], waiting + len(batch)
        if waiting >= rows:
            table = pa.Table.from_batches(held)
            end = waiting - waiting % rows
            for start in range(0, end, rows):
                yield from table.slice(start, rows).combine_chunks().to_batches()
            held, waiting = table.slice(end).to_batches(), waiting - end
    if waiting:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches()


def read_rows(directory: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows at once, in order: for sets that are known to be small (targets, selections)."""
    schema = ROW_SCHEMA if columns is None else pa.schema([ROW_SCHEMA.field(name) for name in columns])
    return pa.Table.from_batches(iter_batches(directory, columns), schema=schema)
