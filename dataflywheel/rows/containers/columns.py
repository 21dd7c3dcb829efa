"""Records of unlike fields as typed columns: which Arrow type fits every value of a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from dataflywheel.rows.containers.arrow_values import plain_value
from dataflywheel.rows.containers.cells import to_cell, with_edits
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.shape import OURS

SCALARS = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64(), type(None): pa.null()}


def type_of(value: Any) -> pa.DataType | None:
    """The Arrow type of a JSON value; None for what has none (empty objects, numbers beyond 64 bits, unlike items)."""
    if isinstance(value, dict):
        fields = [(key, type_of(item)) for key, item in value.items()]
        return pa.struct(fields) if fields and all(kind is not None for _, kind in fields) else None
    if isinstance(value, list):
        kind: pa.DataType | None = pa.null()
        for item in value:
            kind = unify(kind, type_of(item))
        return None if kind is None else pa.list_(kind)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return None
    return SCALARS.get(type(value))


def unify(a: pa.DataType | None, b: pa.DataType | None) -> pa.DataType | None:
    """The type that holds both, None when there is none; objects may lack fields of each other."""
    if a is None or b is None or a == b:
        return a if b is not None else None
    if pa.types.is_null(a) or pa.types.is_null(b):
        return b if pa.types.is_null(a) else a
    if pa.types.is_list(a) and pa.types.is_list(b):
        item = unify(a.value_type, b.value_type)
        return None if item is None else pa.list_(item)
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        fields = {field.name: field.type for field in a}
        for field in b:
            fields[field.name] = unify(fields.get(field.name, pa.null()), field.type)
        return None if any(kind is None for kind in fields.values()) else pa.struct(list(fields.items()))
    return None


class Columns:
    """Learns the columns of records one by one (`see`), then turns records into rows of a table (`row`)."""

    def __init__(self) -> None:
        self.types: dict[str, pa.DataType | None] = {}
        self.edited = False

    def see(self, record: Record) -> None:
        self.edited |= OURS in record or plain_value(record) != record
        for key, value in record.items():
            self.types[key] = unify(self.types.get(key, pa.null()), type_of(value))

    def schema(self) -> pa.Schema:
        """Fields without a common type, and those never set, are text; `flywheel` is there where it is needed."""
        fields = [pa.field(key, concrete(kind)) for key, kind in self.types.items() if key != OURS]
        edited = self.edited or any(kind is None for kind in self.types.values())
        return pa.schema([*fields, pa.field(OURS, pa.string())] if edited else fields)

    def row(self, record: Record) -> Record:
        """The record as its columns hold it; what they cannot hold goes to the `flywheel` column."""
        cells: Record = {}
        for key, value in record.items():
            if key != OURS and value is not None:
                cells[key] = to_cell(value) if self.types[key] is None else value
        return with_edits(dict(cells), {key: plain_value(value) for key, value in cells.items()}, record)

    def table(self, records: Sequence[Record], schema: pa.Schema) -> pa.Table:
        """Records that were all seen, in the columns of `schema`."""
        return pa.Table.from_pylist([self.row(record) for record in records], schema=schema)


def concrete(kind: pa.DataType | None) -> pa.DataType:
    """`kind` with text in the place of what is not known."""
    if kind is None or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(concrete(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, concrete(field.type)) for field in kind])
    return kind
