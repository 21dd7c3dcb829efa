"""Texts of a row changed where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dataflywheel.rows.schema import Message


def said_anew(row: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The turns of a row with `change` made to what they say and think, those of the worse answer of a pair, and the
    cells of a table's row. Calls of tools and their specifications stay."""
    return {
        "messages": turned(row["messages"], change),
        "rejected": None if row["rejected"] is None else turned(row["rejected"], change),
        "cells": row["cells"] if row["cells"] is None else in_json(row["cells"], change),
    }


def turned(turns: list[Message], change: Callable[[str], str]) -> list[Message]:
    """The turns with their contents, and the thoughts before these, changed."""
    return [
        {
            **turn,
            "content": change(turn["content"]),
            "reasoning": change(turn["reasoning"]) if turn["reasoning"] else turn["reasoning"],
        }
        for turn in turns
    ]


def in_json(text: str, change: Callable[[str], str]) -> str:
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
