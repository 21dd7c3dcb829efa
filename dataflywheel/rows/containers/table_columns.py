"""Lines of somebody's table as typed columns: of the types that the table had, where the values still have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

import pyarrow as pa

from dataflywheel.rows.containers.columns import Columns, type_of
from dataflywheel.rows.formats.draft import Record

TOGETHER = 4096
"""Values of a column that are looked at together."""
EXACT = 2**53
"""Whole numbers up to here are the same as floating ones."""
FAULTS = (pa.ArrowException, ValueError, TypeError, OverflowError)
NUMBERS = {pa.int64(), pa.float64()}


class TableColumns(Columns):
    """`Columns` of a table: a cell without a value is null, whole numbers beside others are floating, and a column has
    the type that `declared` says where all its values can have it; `untyped` says of the others why they cannot. The
    columns of `declared` come first, in its order, those that have no value at all too.
    """

    def __init__(self, declared: Mapping[str, pa.DataType]) -> None:
        super().__init__()
        self.types = dict.fromkeys(declared, pa.null())
        self.declared = {key: kind for key, kind in declared.items() if is_kept(kind)}
        self._empty = dict(declared)
        self.untyped: dict[str, str] = {}
        self._waiting: dict[str, list[Any]] = {}
        self._large: set[str] = set()

    def see(self, record: Record) -> None:
        for key in record:
            self.types.setdefault(key, pa.null())  # a column without any value is one
        held = without_nulls(record)
        before = {key: self.types[key] for key in held}
        super().see(held)
        for key, value in held.items():
            if type(value) is int and abs(value) > EXACT:
                self._large.add(key)
            if {before[key], type_of(value)} == NUMBERS and key not in self._large:
                self.types[key] = pa.float64()
            if key in self.declared:
                self._waiting.setdefault(key, []).append(value)
                if len(self._waiting[key]) >= TOGETHER:
                    self._look(key)

    def schema(self) -> pa.Schema:
        for key in list(self._waiting):
            self._look(key)
        self.types |= {key: kind for key, kind in self._empty.items() if self.types[key] == pa.null()} | self.declared
        return super().schema()

    def table(self, records: Sequence[Record], schema: pa.Schema) -> pa.Table:
        rows = [self.row(without_nulls(record)) for record in records]
        columns = {field.name: [row.get(field.name) for row in rows] for field in schema}
        found = [
            typed(columns[field.name], field.type)
            if field.name in self.declared
            else pa.array(columns[field.name], field.type)
            for field in schema
        ]
        return pa.Table.from_arrays(found, schema=schema)

    def _look(self, key: str) -> None:
        values = self._waiting.pop(key)
        if key in self.declared:
            try:
                typed(values, self.declared[key])
            except FAULTS as error:
                self.untyped[key] = f"was {self.declared.pop(key)}: {error}"


def without_nulls(record: Record) -> Record:
    return {key: value for key, value in record.items() if value is not None}


def typed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values as JSON has them in a type that JSON has not.

    Raises:
        pyarrow.ArrowException: one of them cannot have it; or another of `FAULTS`.
    """
    if pa.types.is_time(kind):
        values = [None if value is None else time.fromisoformat(value) for value in values]
        return pa.array(values, kind)
    return pa.array(values).cast(kind)


def is_kept(kind: pa.DataType) -> bool:
    """Whether texts and numbers of JSON do not say the type, and can be made of it again."""
    ways = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_date)
    return any(is_one(kind) for is_one in (*ways, pa.types.is_timestamp, pa.types.is_time))
