"""Specifications of tools beside a chat."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.rows.formats.draft import Record, present
from dataflywheel.rows.formats.turns import in_text


def take_tools(record: Record) -> str | None:
    """Take tool specifications: text as it stands, a list or an object as canonical JSON without nulls; empty ones are
    none.

    OpenAI's older `functions` and Anthropic's tools become specifications of functions.
    """
    tools = record.get("tools")
    if isinstance(tools, str) and tools.strip() in ("", "[]", "{}"):
        return None
    if isinstance(tools, str):
        return str(record.pop("tools"))
    key = "tools" if isinstance(tools, list | dict) else "functions"
    found = record.get(key)
    if key == "functions" and isinstance(found, str) and found.lstrip()[:1] == "[":
        found = in_text(found)
    if not isinstance(found, list | dict) or not found:
        return None
    del record[key]
    if isinstance(found, list):
        found = [specification(present(in_text(one) if isinstance(one, str) else one), key) for one in found]
    return orjson.dumps(present(found), option=orjson.OPT_SORT_KEYS).decode()


def specification(tool: Any, key: str) -> Any:
    """One tool as OpenAI specifies it, where it is spelled in a way that is known not to be so."""
    if not isinstance(tool, dict) or "function" in tool:
        return tool
    if "input_schema" in tool:
        tool = {**{k: v for k, v in tool.items() if k != "input_schema"}, "parameters": tool["input_schema"]}
    elif key != "functions":
        return tool
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}


def tool_list(tools: str) -> Any:
    """Canonical tool specifications as JSON values; other text as it stands."""
    try:
        value = orjson.loads(tools)
    except orjson.JSONDecodeError:
        return tools
    same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() == tools
    return value if same and isinstance(value, list | dict) else tools
