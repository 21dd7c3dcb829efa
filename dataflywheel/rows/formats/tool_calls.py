"""Tool calls in the spellings of the OpenAI API and of ShareGPT, as one canonical JSON text."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.formats.serialized import in_text

ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs")
"""The names of a call's arguments, the usual one first (OpenAI, Llama, LangChain, Anthropic)."""


CALLS = ("tool_calls", "function_call", "function_calls")
"""The fields of a turn that hold its calls."""
WITHIN = ("result", "results", "output", "outputs", "response")
"""Where a call may hold what the tool gave, which belongs into a turn of its own."""


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
        said, calls = calls, in_text(calls)
        calls = calls_in_python(said) if isinstance(calls, str) else calls
        if calls is None:
            raise ReadError(f"{field}.tool_calls", "expected JSON, or calls in Python such as f(a=1), got other text")
    calls = [calls] if isinstance(calls, dict) else calls
    if not isinstance(calls, list):
        raise ReadError(f"{field}.tool_calls", f"expected a list of calls, got {kind(calls)}")
    result = []
    for position, call in enumerate(calls if written else present(calls)):
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise ReadError(f"{field}.tool_calls[{position}]", "expected a call with a function's name")
        if (given := next((key for key in WITHIN if call.get(key)), None)) is not None:
            where = f"{field}.tool_calls[{position}].{given}"
            raise ReadError(where, "a result within its call; write it as a turn of the role tool")
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


NAMED = {"true": True, "false": False, "null": None}


def calls_in_python(text: str) -> list[Record] | None:
    """Calls written as Python does, one a line or in a list (OLMo): names of functions, and arguments by name; None for
    anything else. Nothing is run: arguments are literals.

    >>> calls_in_python('weather(city="Oslo", days=[1, 2])')
    [{'name': 'weather', 'arguments': {'city': 'Oslo', 'days': [1, 2]}}]
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines = ast.parse(text.strip()).body
            held = [line.value if isinstance(line, ast.Expr) else ast.Constant(None) for line in lines]
            found = [one for line in held for one in (line.elts if isinstance(line, ast.List) else [line])]
            calls = [python_call(one) for one in found]
            orjson.dumps(calls)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    return calls or None


def python_call(node: ast.expr) -> Record:
    """One call.

    Raises:
        ValueError: the node is none, or an argument has no name or is no literal.
    """
    if not isinstance(node, ast.Call) or node.args or any(held.arg is None for held in node.keywords):
        raise ValueError("expected a call with arguments by name")
    arguments = {
        str(held.arg): NAMED[held.value.id]
        if isinstance(held.value, ast.Name) and held.value.id in NAMED
        else ast.literal_eval(held.value)
        for held in node.keywords
    }
    if not isinstance(node.func, ast.Name | ast.Attribute):
        raise ValueError("expected the name of a function")
    return {"name": ast.unparse(node.func), "arguments": arguments}


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
