"""The one row schema, as Arrow types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import pyarrow as pa

MESSAGE = pa.struct(
    [
        pa.field("role", pa.string()),
        pa.field("content", pa.string()),
        pa.field("tool_calls", pa.string()),  # canonical JSON of the calls with their ids, or null
        pa.field("name", pa.string()),
        pa.field("reasoning", pa.string()),
        pa.field("tool_call_id", pa.string()),
        pa.field("learn", pa.bool_()),
    ]
)
MESSAGES = pa.list_(MESSAGE)
MEDIUM = pa.struct([pa.field("type", pa.string()), pa.field("ref", pa.string())])

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
        pa.field("media", pa.list_(MEDIUM)),
        pa.field("cells", pa.string()),
        pa.field("weight", pa.float64()),
    ]
)


class Message(TypedDict):
    """One turn.

    `tool_calls` is canonical JSON text, `tool_call_id` the call that a tool's turn answers. `reasoning` holds the
    thoughts before `content`. `learn` is False for an assistant turn that must not be learned, else None.
    """

    role: str
    content: str
    tool_calls: str | None
    name: str | None
    reasoning: str | None
    tool_call_id: str | None
    learn: bool | None


MediaType = Literal["image", "video", "audio"]


class Medium(TypedDict):
    """An image, a video or a sound: `ref` is its path or address, or JSON for an object that holds it.

    The nth `<image>` of a row's turns, the rejected ones after the others, is the nth image of its media; so are
    `<video>` and `<audio>`. Media without such marks belong to the row's first question.
    """

    type: MediaType
    ref: str


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
    media: list[Medium] | None
    cells: str | None
    weight: float | None
    """How much it counts where it is learned, 1 where it is None; only the ratios between rows matter."""


def message(
    role: str,
    content: str,
    tool_calls: str | None = None,
    name: str | None = None,
    *,
    reasoning: str | None = None,
    tool_call_id: str | None = None,
    learn: bool | None = None,
) -> Message:
    return {
        "role": role,
        "content": content,
        "tool_calls": tool_calls,
        "name": name,
        "reasoning": reasoning,
        "tool_call_id": tool_call_id,
        "learn": learn,
    }


def table(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table in `ROW_SCHEMA`."""
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in ROW_SCHEMA.names}  # type: ignore[literal-required]
    return pa.table(columns, schema=ROW_SCHEMA)


def upgraded(column: pa.Array | pa.ChunkedArray, name: str) -> pa.Array | pa.ChunkedArray:
    """A column of rows that an earlier version wrote, with the fields that turns have had since as nulls."""
    if name not in ("messages", "rejected"):
        return column
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([upgraded(chunk, name) for chunk in column.chunks], ROW_SCHEMA.field(name).type)
    turns = column.values
    held = {field.name: i for i, field in enumerate(turns.type)}
    if all(field.name in held for field in MESSAGE):
        return column
    fields = [
        turns.field(held[field.name]).cast(field.type) if field.name in held else pa.nulls(len(turns), field.type)
        for field in MESSAGE
    ]
    inner = pa.StructArray.from_arrays(fields, fields=list(MESSAGE))
    kind = pa.ListArray if pa.types.is_list(column.type) else pa.LargeListArray
    return kind.from_arrays(column.offsets, inner, mask=column.is_null() if column.null_count else None)


def upgraded_batch(rows: pa.RecordBatch, names: Sequence[str] | None = None) -> pa.RecordBatch:
    """Rows that an earlier version wrote in today's schema; only the columns `names` where given."""
    fields = [ROW_SCHEMA.field(name) for name in (ROW_SCHEMA.names if names is None else names)]
    columns = [
        upgraded(rows[field.name], field.name) if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
        for field in fields
    ]
    return pa.RecordBatch.from_arrays(columns, names=[field.name for field in fields])
