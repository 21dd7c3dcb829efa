"""Specifications of tools beside a chat."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import Record, present
from dataflywheel.rows.formats.names import by_name
from dataflywheel.rows.formats.serialized import in_text

TOOLS = (
    "tools", "functions", "available_tools", "available_functions", "tool_list", "tools_list", "function_list",
    "functions_list", "tool_definitions", "tools_definitions", "function_definitions", "tool_specs", "tool_schemas",
    "tools_schema", "function_schemas", "function_description", "function_descriptions", "tool_descriptions",
    "tools_json", "toolset", "apis", "api_list", "function", "gen_ai.tool.definitions", "toolconfig", "tool_config",
)  # fmt: skip
"""Names of a column that holds specifications of tools, the usual ones first."""
SCHEMAS = ("input_schema", "inputSchema", "args_schema", "parametersJsonSchema")
"""What others call the parameters of a function (Anthropic, MCP, Bedrock, LangChain, Gemini)."""
TOLD = frozenset(("description", "parameters", "required", "args", "arguments", *SCHEMAS))
"""What tells a specification from any other object with a name."""


@lru_cache(maxsize=4096)
def tools_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """The keys that may hold specifications of tools, the likeliest first."""
    names = by_name(keys)
    return tuple(names[name] for name in TOOLS if name in names)


def take_tools(record: Record) -> str | None:
    """Take tool specifications: JSON text as it stands, a list or an object as canonical JSON without nulls; empty ones
    are none.

    OpenAI's older `functions`, and tools as Anthropic, Gemini, Bedrock and MCP write them, become functions.
    """
    for key in tools_keys(frozenset(record)):
        value = record[key]
        if key == "tools" and isinstance(value, str):
            if value.strip() in ("", "[]", "{}"):
                continue
            found = None if is_json(value) else in_text(value)
            if not isinstance(found, list):
                return str(record.pop(key))
            value = found
        found = in_text(value) if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") else value
        if not isinstance(found, list | dict) or not found:
            continue
        found = [
            in_text(one) if isinstance(one, str) else one for one in (found if isinstance(found, list) else [found])
        ]
        listed = [one for tool in found for one in declared(present(tool))]
        if key not in ("tools", "functions") and not all(map(is_specification, listed)):
            continue
        del record[key]
        plain = present(found)
        written = [specification(one, "functions" if listed != plain else key) for one in listed]
        whole = written[0] if isinstance(value, dict) and len(written) == 1 and listed == [present(value)] else written
        return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()
    return None


def is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def is_specification(tool: Any) -> bool:
    """Whether an object specifies a tool: a name, and a description or parameters."""
    held = tool.get("function", tool) if isinstance(tool, dict) else None
    return isinstance(held, dict) and isinstance(held.get("name"), str) and not TOLD.isdisjoint(held)


def declared(tool: Any) -> list[Any]:
    """The tools in one entry of a list: Gemini declares several in one, Bedrock wraps each, and the list too."""
    if not isinstance(tool, dict):
        return [tool]
    for key in ("functionDeclarations", "function_declarations"):
        if isinstance(tool.get(key), list):
            return list(tool[key])
    if isinstance(tool.get("tools"), list) and "name" not in tool:
        return [one for held in tool["tools"] for one in declared(held)]
    spec = tool.get("toolSpec")
    if isinstance(spec, dict):
        schema = spec.get("inputSchema")
        return [{**spec, "inputSchema": schema.get("json", schema) if isinstance(schema, dict) else schema}]
    return [tool]


def specification(tool: Any, key: str) -> Any:
    """One tool as OpenAI specifies it, where it is spelled in a way that is known not to be so."""
    if not isinstance(tool, dict) or "function" in tool:
        return tool
    schema = next((name for name in SCHEMAS if name in tool), None)
    if schema is not None:
        tool = {**{k: v for k, v in tool.items() if k != schema}, "parameters": tool[schema]}
    elif key == "tools":
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
