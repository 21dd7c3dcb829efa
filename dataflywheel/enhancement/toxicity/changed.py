"""A row whose texts were changed in place, for what masks and redacts."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from dataflywheel.rows.identity import make_row
from dataflywheel.rows.in_place import in_json, turned
from dataflywheel.rows.schema import Message, Row


def changed(row: Row, made_by: str, change: Callable[[str], str], everything: bool = False) -> Row:
    """`row` with the content and the thoughts of every message changed.

    `everything`: also the names of speakers, the rejected answer, tools and the arguments of their calls, the cells of
    a table's row and all other fields of the input (`extra`).
    """

    def inside(text: str | None) -> str | None:
        return in_json(text, change) if text and everything else text

    def speaker(turn: Message) -> str | None:
        """Their name; that of a tool is its function's."""
        name = turn["name"]
        return change(name) if name and everything and turn["role"] != "tool" else name

    def turned_inside(turns: list[Message]) -> list[Message]:
        # A turn with its calls at a time: whoever numbers what it finds meets it in the order of the row.
        each = (turned([turn], change)[0] for turn in turns)
        return [{**turn, "tool_calls": inside(turn["tool_calls"]), "name": speaker(turn)} for turn in each]

    made = make_row(
        turned_inside(row["messages"]),
        rejected=turned_inside(row["rejected"]) if everything and row["rejected"] is not None else row["rejected"],
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
        weight=row["weight"],
    )
    made["copies"] = row["copies"]
    return made


def said(row: Row) -> list[str]:
    """Everything that the messages of a row say: their contents, and the thoughts before them."""
    return [text for turn in row["messages"] for text in (turn["content"], turn["reasoning"]) if text]
