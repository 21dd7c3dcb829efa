"""A row whose texts were changed in place, for what masks and redacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row


def changed(row: Row, made_by: str, change: Callable[[str], str], everything: bool = False) -> Row:
    """`row` with the content and the thoughts of every message changed.

    `everything`: also the rejected answer, tools and the arguments of their calls, the cells of a table's row and
    all other fields of the input (`extra`).
    """

    def inside(text: str | None) -> str | None:
        return _json(text, change) if text and everything else text

    def turned(turns: list[Message]) -> list[Message]:
        return [
            {
                **turn,
                "content": change(turn["content"]),
                "reasoning": change(turn["reasoning"]) if turn["reasoning"] else turn["reasoning"],
                "tool_calls": inside(turn["tool_calls"]),
            }
            for turn in turns
        ]

    made = make_row(
        turned(row["messages"]),
        rejected=turned(row["rejected"]) if everything and row["rejected"] is not None else row["rejected"],
        tools=inside(row["tools"]),
        label=row["label"],
        source=row["source"],
        tags=row["tags"],
        extra=orjson.loads(inside(row["extra"]) or "{}"),
        parents=[row["id"]],
        made_by=made_by,
        round=row["round"],
        media=row["media"],
        cells=inside(row["cells"]),
    )
    made["copies"] = row["copies"]
    return made


def said(row: Row) -> list[str]:
    """Everything that the messages of a row say: their contents, and the thoughts before them."""
    return [text for turn in row["messages"] for text in (turn["content"], turn["reasoning"]) if text]


def _json(text: str, change: Callable[[str], str]) -> str:
    """JSON with its texts changed; the same characters where nothing changed."""
    before = orjson.loads(text)
    after = _walked(before, change)
    return text if after == before else orjson.dumps(after, option=orjson.OPT_SORT_KEYS).decode()


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _walked(inner, change) for key, inner in value.items()}
    return [_walked(inner, change) for inner in value] if isinstance(value, list) else value
