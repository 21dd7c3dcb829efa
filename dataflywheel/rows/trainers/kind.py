"""What a row can teach: trainers read one kind of row a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.formats.draft import CannotHold, Draft, Record
from dataflywheel.rows.formats.shape import OURS
from dataflywheel.rows.schema import Message, Row

Kind = Literal["chat", "preference", "kto", "text"]


def kind_of(row: Row) -> Kind:
    """`preference` with a rejected answer, `kto` with a true or false label, `text` for a document, else `chat`."""
    if row["rejected"] is not None:
        return "preference"
    if row["label"] in ("true", "false"):
        return "kto"
    return "text" if [m["role"] for m in row["messages"]] == ["assistant"] else "chat"


def one_kind(rows: Iterable[Row], trainer: str) -> Iterator[tuple[Kind, Row]]:
    """Rows with the kind of the first.

    Raises:
        FlywheelError: a row is of another kind.
    """
    first: Kind | None = None
    for row in rows:
        kind = kind_of(row)
        first = first or kind
        if kind != first:
            raise FlywheelError(
                f"row {row['id']} is a {kind} row among {first} rows, and {trainer} reads one kind a file; "
                "convert each kind from a file of its own"
            )
        yield kind, row


def pair_of(row: Row) -> tuple[list[Message], Message, Message]:
    """Prompt, chosen answer and rejected answer of a preference row.

    Raises:
        CannotHold: an answer is several turns long.
    """
    ours = orjson.loads(row["extra"]).get(OURS)
    turns = ours.get("prompt_turns") if isinstance(ours, dict) else None
    valid = isinstance(turns, int) and 0 <= turns < len(row["messages"])
    prompt, chosen, rejected = Draft(row["messages"], row["rejected"], prompt_turns=turns if valid else None).pair()
    if len(chosen) != 1 or len(rejected) != 1:
        raise CannotHold("answers to compare that are several turns long")
    return prompt, chosen[0], rejected[0]


def answered(row: Row) -> tuple[list[Message], Message]:
    """What comes before the final answer, and that answer.

    Raises:
        CannotHold: the row does not end with the assistant.
    """
    if row["messages"][-1]["role"] != "assistant":
        raise CannotHold("a row without an answer to learn")
    return row["messages"][:-1], row["messages"][-1]


def tools_of(row: Row) -> Record:
    """`tools` as JSON values where the row has any."""
    if not row["tools"]:
        return {}
    try:
        tools: Any = orjson.loads(row["tools"])
    except orjson.JSONDecodeError:
        raise CannotHold("tool specifications that are not JSON") from None
    return {"tools": tools} if tools else {}
