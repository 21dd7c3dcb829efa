"""Rows of Parquet parts by their place or id: only the row groups that hold one asked for are read, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import AnyArray
from dataflywheel.rows.parts import iter_batches, part_paths
from dataflywheel.rows.schema import ROW_SCHEMA, upgraded_batch
from dataflywheel.rows.text import Part, texts, texts_of_both


class Groups:
    """The row groups of Parquet parts, one after the other; the footers are read once, the last group is kept."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.schema = pq.read_schema(paths[0])
        self.footers = [(path, pq.read_metadata(path)) for path in paths]
        self.groups = [
            (part, group) for part, (_, footer) in enumerate(self.footers) for group in range(footer.num_row_groups)
        ]
        sizes = [self.footers[part][1].row_group(group).num_rows for part, group in self.groups]
        self.starts = np.concatenate([[0], np.cumsum(np.array(sizes, dtype=np.int64))])
        self._last: tuple[int, list[str] | None, pa.Table] | None = None

    def read(self, places: AnyArray, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows at `places` (n,), counted through all parts, in that order.

        Beside the rows asked for, memory holds one row group.
        """
        nothing = self.schema.empty_table()
        found = [(np.zeros(0, np.int64), nothing if columns is None else nothing.select(list(columns)))]
        found += self.blocks(places, columns)
        order = np.concatenate([where for where, _ in found])
        rows = pa.concat_tables([part for _, part in found])
        if (order == np.arange(len(order))).all():
            return rows
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return rows.take(pa.array(back))

    def blocks(self, places: AnyArray, columns: Sequence[str] | None = None) -> Iterator[tuple[AnyArray, pa.Table]]:
        """`read`, a row group at a time: which of `places` (m,) are in it, and the rows there."""
        names = None if columns is None else list(columns)
        order = np.argsort(places, kind="stable")
        wanted = np.asarray(places)[order]
        bounds = np.searchsorted(wanted, self.starts)
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            within = slice(bounds[number], bounds[number + 1])
            yield order[within], some(self._group(number, names), wanted[within] - self.starts[number])

    def _group(self, number: int, names: list[str] | None) -> pa.Table:
        if self._last is None or self._last[:2] != (number, names):
            self._last = None
            part, group = self.groups[number]
            path, footer = self.footers[part]
            with pq.ParquetFile(path, metadata=footer) as file:
                self._last = number, names, file.read_row_group(group, columns=names)
        return self._last[2]


def some(rows: pa.Table, inside: AnyArray) -> pa.Table:
    """The rows at the ascending places `inside`; without a copy where they are most of the rows, side by side."""
    if len(inside) > len(rows) // 2 and inside[-1] - inside[0] == len(inside) - 1 and (np.diff(inside) == 1).all():
        return rows.slice(int(inside[0]), len(inside))
    return rows.take(pa.array(inside))


def read_places(paths: Sequence[Path], places: AnyArray, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows at `places` (n,), counted through all parts, in that order; see `Groups`."""
    return Groups(paths).read(places, columns)


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

    @cached_property
    def _groups(self) -> Groups:
        return Groups(part_paths(self.directory))

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
        there = set(self._groups.schema.names)
        names = [name for name in columns or ROW_SCHEMA.names if name in there]
        found = self._groups.read(places[at], names)
        return pa.Table.from_batches(
            [upgraded_batch(batch, columns) for batch in found.combine_chunks().to_batches()],
            schema=pa.schema([ROW_SCHEMA.field(name) for name in columns or ROW_SCHEMA.names]),
        )

    def texts(self, ids: Iterable[str], part: Part | Literal["both"] = "all") -> list[str]:
        """Their texts, in the order of the ids; `both`: with the worse answers of pairs."""
        if part == "both":
            return texts_of_both(self.read(ids, ["messages", "rejected"]))
        return texts(self.read(ids, ["messages"])["messages"], part)
