"""Typed columns as plain values: what JSON has no type for becomes text, bytes that are text are text."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

from dataflywheel.rows.containers.block import Left
from dataflywheel.rows.containers.cells import mend
from dataflywheel.rows.formats.draft import Record

FAULTS = (pa.ArrowException, ValueError, TypeError, KeyError, OverflowError, OSError, NotImplementedError)
"""What turning a column into Python values may raise."""
FILE = {"bytes", "path"}
"""Fields of an image or a sound as the `datasets` library stores one."""


def records_of(batch: pa.RecordBatch) -> Iterator[Record | Left]:
    """Plain records: nulls are absent fields, since columns cannot tell them apart.

    A column that no value can be had of is left out, and said first.
    """
    try:
        records = batch.to_pylist(maps_as_pydicts="strict")
    except FAULTS:
        columns: dict[str, list[Any]] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                columns[name] = values_of(column)
            except FAULTS as error:
                yield Left(name, f"a column of the type {column.type}, which cannot be read: {error}")
        records = [{name: held[at] for name, held in columns.items()} for at in range(batch.num_rows)]
    for record in records:
        yield mend(plain_value(record))


def values_of(column: pa.Array) -> list[Any]:
    """The values of a column, its parts looked at where it cannot be had as a whole; times that no calendar of Python
    has are texts.

    Raises:
        ValueError: a part cannot be had; or another of `FAULTS`.
    """
    try:
        return list(column.to_pylist(maps_as_pydicts="strict"))
    except FAULTS:
        kind = column.type
    valid = column.is_valid().to_pylist()
    if pa.types.is_map(kind):
        return list(column.to_pylist())
    if pa.types.is_struct(kind):
        names = [field.name for field in kind]
        if len(set(names)) != len(names):
            raise ValueError("it names a field twice")
        parts = {name: values_of(column.field(at)) for at, name in enumerate(names)}
        return [{name: held[at] for name, held in parts.items()} if is_ else None for at, is_ in enumerate(valid)]
    if isinstance(column, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        return [values_of(column[at].values) if is_ else None for at, is_ in enumerate(valid)]
    if isinstance(column, pa.ExtensionArray):
        return values_of(column.storage)
    if isinstance(column, pa.DictionaryArray):
        return values_of(column.dictionary_decode())
    return [in_words(column[at]) if is_ else None for at, is_ in enumerate(valid)]


def in_words(value: pa.Scalar) -> Any:
    """One time or span as text."""
    try:
        return value.as_py()
    except FAULTS:
        text = str(value.cast(pa.string()).as_py()) if not pa.types.is_duration(value.type) else "out of range"
    if "out of range" not in text:
        return text.replace(" ", "T", 1)
    unit = getattr(value.type, "unit", "days" if pa.types.is_date32(value.type) else "ms")
    return f"{value.value} {unit}" + ("" if pa.types.is_duration(value.type) else " since 1970-01-01")


def plain_value(value: Any) -> Any:
    """A value as JSON has it: without null fields, times as ISO text, decimals and spans as text.

    Bytes are text where they are UTF-8; others are `{"base64": ...}`, so that they are never taken for text. The bytes
    of an image or a sound, beside its path, are base64 text always.
    """
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, Mapping):
        if value.keys() == FILE:
            return file_value(value)
        return {str(key): plain for key, item in value.items() if (plain := plain_value(item)) is not None}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    return scalar(value)


def scalar(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | timedelta | UUID):
        return str(value)
    if hasattr(value, "tolist"):
        return plain_value(value.tolist())
    return value


def file_value(value: Mapping[str, Any]) -> Record:
    held = value["bytes"]
    plain = {"bytes": base64.b64encode(held).decode() if isinstance(held, bytes) else held, "path": value["path"]}
    return {key: item for key, item in plain.items() if item is not None}


def text_of(value: bytes) -> str | Record:
    try:
        text = value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"base64": base64.b64encode(value).decode()} if "\0" in text else text
