"""Rows to Arrow through flat lists: several times faster than from lists of dicts."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.rows.schema import MESSAGE, ROW_SCHEMA, Message, Row


def build(rows: list[Row]) -> pa.Table:
    """`schema.table` for rows by the thousand: the same table."""
    columns: dict[str, pa.Array] = {}
    for field in ROW_SCHEMA:
        values = [row[field.name] for row in rows]  # type: ignore[literal-required]
        if field.name in ("messages", "rejected"):
            columns[field.name] = message_lists(values)
        else:
            columns[field.name] = pa.array(values, field.type)
    return pa.table(columns, schema=ROW_SCHEMA)


def message_lists(values: list[list[Message] | None]) -> pa.Array:
    """A column of lists of messages, from flat columns of their fields."""
    missing = [value is None for value in values]
    if all(missing):
        return pa.nulls(len(values), ROW_SCHEMA.field("rejected").type)
    lists = [value or [] for value in values]
    offsets = np.zeros(len(lists) + 1, np.int32)
    np.cumsum([len(turns) for turns in lists], out=offsets[1:])
    flat = list(chain.from_iterable(lists))
    fields: list[Any] = [pa.array([turn[field.name] for turn in flat], field.type) for field in MESSAGE]  # type: ignore[literal-required]
    turns = pa.StructArray.from_arrays(fields, fields=list(MESSAGE))
    return pa.ListArray.from_arrays(pa.array(offsets), turns, mask=pa.array(missing) if any(missing) else None)
