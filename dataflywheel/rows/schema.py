"""The one row schema, as Arrow types."""

from __future__ import annotations

from typing import Any, TypedDict

import pyarrow as pa

MESSAGE = pa.struct(
    [
        pa.field("role", pa.string()),
        pa.field("content", pa.string()),
        pa.field("tool_calls", pa.string()),  # canonical JSON of the calls, or null
        pa.field("name", pa.string()),
    ]
)
MESSAGES = pa.list_(MESSAGE)

ROW_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("messages", MESSAGES),
        pa.field("rejected", MESSAGES),
        pa.field("tools", pa.string()),
        pa.field("label", pa.string()),
        pa.field("source", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("copies", pa.int32()),
        pa.field("extra", pa.string()),
        pa.field("parents", pa.list_(pa.string())),
        pa.field("made_by", pa.string()),
        pa.field("round", pa.int32()),
    ]
)


class Message(TypedDict):
    """One turn. `tool_calls` is canonical JSON text or None."""

    role: str
    content: str
    tool_calls: str | None
    name: str | None


class Row(TypedDict):
    """One training example; see the table in the reference documentation."""

    id: str
    messages: list[Message]
    rejected: list[Message] | None
    tools: str | None
    label: str | None
    source: str
    tags: list[str]
    copies: int
    extra: str
    parents: list[str]
    made_by: str
    round: int


def message(role: str, content: str, tool_calls: str | None = None, name: str | None = None) -> Message:
    return {"role": role, "content": content, "tool_calls": tool_calls, "name": name}


def table(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table in `ROW_SCHEMA`."""
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in ROW_SCHEMA.names}  # type: ignore[literal-required]
    return pa.table(columns, schema=ROW_SCHEMA)
