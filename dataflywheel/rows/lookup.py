"""Rows of Parquet parts by their place or id: only the row groups that hold one asked for are read, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import AnyArray
from dataflywheel.rows.parts import iter_batches, part_paths
from dataflywheel.rows.schema import ROW_SCHEMA, upgraded_batch
from dataflywheel.rows.text import Part, texts


def read_places(paths: Sequence[Path], places: AnyArray, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows at `places` (n,), counted through all parts, in that order.

    Beside the rows asked for, memory holds one row group.
    """
    order = np.argsort(places, kind="stable")
    wanted = np.asarray(places)[order]
    nothing = pq.ParquetFile(paths[0]).schema_arrow.empty_table()
    found, start = [nothing if columns is None else nothing.select(list(columns))], 0
    for path in paths:
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            inside = wanted[slice(*np.searchsorted(wanted, [start, stop]))] - start
            if len(inside):
                rows = file.read_row_group(group, columns=None if columns is None else list(columns))
                found.append(rows.take(pa.array(inside)))
            start = stop
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_tables(found).take(pa.array(back))


class RowLookup:
    """The rows of a directory by id, through an index of its ids that is made on first use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @cached_property
    def _index(self) -> tuple[AnyArray, AnyArray]:
        """All ids in order, and the place of each among the rows."""
        ids = [np.asarray(batch["id"].to_pylist(), dtype=bytes) for batch in iter_batches(self.directory, ["id"])]
        held = np.concatenate(ids) if ids else np.empty(0, dtype=bytes)
        order = np.argsort(held, kind="stable")
        return held[order], order

    def read(self, ids: Iterable[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows with these ids, in the order of the ids.

        Raises:
            KeyError: an id is not among the rows.
        """
        held, places = self._index
        wanted = np.asarray(list(ids), dtype=bytes)
        at = np.searchsorted(held, wanted)
        known = at < len(held)
        known[known] = held[at[known]] == wanted[known]
        if not known.all():
            raise KeyError(f"{self.directory}: {(~known).sum()} of {len(wanted)} rows are not there")
        paths = part_paths(self.directory)
        there = set(pq.read_schema(paths[0]).names)
        names = [name for name in columns or ROW_SCHEMA.names if name in there]
        found = read_places(paths, places[at], names)
        return pa.Table.from_batches(
            [upgraded_batch(batch, columns) for batch in found.combine_chunks().to_batches()],
            schema=pa.schema([ROW_SCHEMA.field(name) for name in columns or ROW_SCHEMA.names]),
        )

    def texts(self, ids: Iterable[str], part: Part = "all") -> list[str]:
        """Their texts, in the order of the ids."""
        return texts(self.read(ids, ["messages"])["messages"], part)
