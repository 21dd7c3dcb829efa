"""A row whose texts were changed in place, for what masks and redacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row


def changed(row: Row, made_by: str, change: Callable[[str], str], deep: bool = False) -> Row:
    """`row` with every content changed, rejected answers included; what is not text stays as it is.

    `deep`: arguments of tool calls and all other fields of the input (`extra`) too.
    """

    def turned(turns: list[Message]) -> list[Message]:
        return [
            {**turn, "content": change(turn["content"]), "tool_calls": _json(turn["tool_calls"], change, deep)}
            for turn in turns
        ]

    made = make_row(
        turned(row["messages"]),
        rejected=None if row["rejected"] is None else turned(row["rejected"]),
        tools=row["tools"],
        label=row["label"],
        source=row["source"],
        tags=row["tags"],
        extra=orjson.loads(_json(row["extra"] or "{}", change, deep) or "{}"),
        parents=[row["id"]],
        made_by=made_by,
        round=row["round"],
    )
    made["copies"] = row["copies"]
    return made


def _json(text: str | None, change: Callable[[str], str], deep: bool) -> str | None:
    """JSON with its texts changed; the same text where nothing changed."""
    if text is None or not deep:
        return text
    before = orjson.loads(text)
    after = _walked(before, change)
    return text if after == before else orjson.dumps(after, option=orjson.OPT_SORT_KEYS).decode()


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _walked(inner, change) for key, inner in value.items()}
    return [_walked(inner, change) for inner in value] if isinstance(value, list) else value
