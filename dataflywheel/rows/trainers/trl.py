"""Rows as TRL reads them: `messages`; `prompt`, `chosen`, `rejected`; `prompt`, `completion`, `label`; or `text`."""

from __future__ import annotations

from pathlib import Path

import orjson

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.trainers.kind import Kind, answered, pair_of, tools_of


def turn(message: Message) -> Record:
    """A turn with tool calls as objects, arguments too: chat templates render objects, not JSON text."""
    record: Record = {"role": message["role"], "content": message["content"]}
    if message["tool_calls"] is not None:
        record["tool_calls"] = orjson.loads(message["tool_calls"])
    if message["name"] is not None:
        record["name"] = message["name"]
    return record


def record(kind: Kind, row: Row) -> Record:
    """One training record, always conversational (lists of turns) unless the row is a document.

    Raises:
        CannotHold: the row has no answer to learn, or answers several turns long.
    """
    if kind == "text":
        return {"text": row["messages"][0]["content"]}
    tools = tools_of(row)
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        return {"prompt": [turn(m) for m in prompt], "chosen": [turn(chosen)], "rejected": [turn(rejected)], **tools}
    prompt, answer = answered(row)
    if kind == "kto":
        label = row["label"] == "true"
        return {"prompt": [turn(m) for m in prompt], "completion": [turn(answer)], "label": label, **tools}
    return {"messages": [turn(m) for m in row["messages"]], **tools}


def describe(path: Path, kind: Kind) -> list[Path]:
    """TRL needs nothing beside the data."""
    return []
