"""Tool calls in the spellings of the OpenAI API and of ShareGPT, as one canonical JSON text."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.formats.serialized import in_text

ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs")
"""The names of a call's arguments, the usual one first (OpenAI, Llama, LangChain, Anthropic)."""


def read_id(value: Any) -> str | None:
    """The id of a call, as text."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    return None


def canonical_calls(calls: Any, field: str, written: bool = False) -> str:
    """Tool calls as one canonical JSON text: `[{"function": {"arguments": {...}, "name": ...}, "type": "function"}]`.

    A call keeps its `id` where it has one; arguments become an object when they are one in JSON text. Nulls are what
    columns fill up with, unless the call was `written` out as text.

    Raises:
        ReadError: not a list of calls with a function's name.
    """
    if isinstance(calls, str):
        written = True
        calls = in_text(calls)
        if isinstance(calls, str):
            raise ReadError(f"{field}.tool_calls", "expected JSON, got other text")
    calls = [calls] if isinstance(calls, dict) else calls
    if not isinstance(calls, list):
        raise ReadError(f"{field}.tool_calls", f"expected a list of calls, got {kind(calls)}")
    result = []
    for position, call in enumerate(calls if written else present(calls)):
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise ReadError(f"{field}.tool_calls[{position}]", "expected a call with a function's name")
        arguments = next((function[key] for key in ARGUMENTS if function.get(key)), None)
        arguments = function.get("arguments", {}) if arguments is None else arguments
        if isinstance(arguments, str):
            try:
                parsed = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                parsed = None
            arguments = parsed if isinstance(parsed, dict) else arguments if arguments.strip() else {}
        one: Record = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
        if (id := read_id(call.get("id"))) is not None:
            one["id"] = id
        result.append(one)
    return orjson.dumps(result, option=orjson.OPT_SORT_KEYS).decode()


THOUGHT = re.compile(r"\s*<think>\n?(.*?)\n?</think>\s*", re.DOTALL)


def calls_in_text(content: str, thoughts: str | None = None) -> tuple[str | None, str, Any]:
    """A ShareGPT function call: thoughts, text and calls, where the text is JSON for one or several, perhaps behind a
    block of thoughts (as LLaMA-Factory reads it); else the text as it stands."""
    block = THOUGHT.match(content) if thoughts is None else None
    try:
        calls = orjson.loads(content[block.end() :] if block else content)
    except orjson.JSONDecodeError:
        return thoughts, content, None
    calls = calls if isinstance(calls, list) else [calls]
    if not calls or not all(map(is_call, calls)):
        return thoughts, content, None
    return (block[1] or None if block else thoughts), "", calls


def is_call(value: Any) -> bool:
    """Whether a value names a function, in one of the spellings of a call."""
    function = value.get("function", value) if isinstance(value, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def spaced(value: Any) -> str:
    """JSON as Python's own encoder spaces it, which is how data sets hold their calls."""
    return json.dumps(value, ensure_ascii=False)
