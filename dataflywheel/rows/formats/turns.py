"""Turns of a chat in their two usual spellings: `role`/`content` (OpenAI) and `from`/`value` (ShareGPT)."""

from __future__ import annotations

import json
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import CannotHold, ReadError, Record, kind
from dataflywheel.rows.schema import Message, message

ROLES = {
    **{name: "system" for name in ("system", "developer")},
    **{name: "user" for name in ("user", "human", "prompter")},
    **{name: "assistant" for name in ("assistant", "gpt", "chatgpt", "bot", "model", "function_call", "tool_call")},
    **{name: "tool" for name in ("tool", "observation", "function", "tool_response", "ipython")},
}
CANONICAL = frozenset({"system", "user", "assistant", "tool"})
SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def read_turns(value: Any, field: str) -> tuple[list[Message], bool]:
    """Turns in either spelling, and whether each of them is exactly `{role, content}` with a canonical role.

    Raises:
        ReadError: not a list of turns; names the turn and its field.
    """
    if type(value) is not list:
        raise ReadError(field, f"expected a list of turns {{role, content}}, got {kind(value)}")
    if not value:
        raise ReadError(field, "expected at least one turn, got an empty list")
    turns: list[Message] = []
    exact = True
    for position, turn in enumerate(value):
        if type(turn) is dict and len(turn) == 2:
            role, content = turn.get("role"), turn.get("content")
            if type(content) is str and role in CANONICAL:
                turns.append({"role": role, "content": content, "tool_calls": None, "name": None})
                continue
        exact = False
        turns.append(read_turn(turn, f"{field}[{position}]"))
    return turns, exact


def read_turn(turn: Any, field: str) -> Message:
    """One turn in either spelling, with tool calls and name.

    Raises:
        ReadError: names the field and what was expected.
    """
    if not isinstance(turn, dict):
        raise ReadError(field, f"expected a turn {{role, content}}, got {kind(turn)}")
    role_key, content_key = ("from", "value") if "from" in turn and "role" not in turn else ("role", "content")
    given = turn.get(role_key)
    role = ROLES.get(given) if isinstance(given, str) else None
    if role is None:
        found = "nothing" if role_key not in turn else repr(given)
        raise ReadError(f"{field}.{role_key}", f"expected one of {', '.join(sorted(CANONICAL))}, got {found}")
    calls = turn.get("tool_calls")
    if not calls and isinstance(turn.get("function_call"), dict):
        calls = [turn["function_call"]]
    content = read_content(turn.get(content_key), f"{field}.{content_key}", missing_allowed=bool(calls))
    if given in ("function_call", "tool_call"):
        content, calls = calls_in_text(content)
    name = turn.get("name")
    return message(
        role, content, canonical_calls(calls, field) if calls else None, name if isinstance(name, str) else None
    )


def read_content(content: Any, field: str, missing_allowed: bool = False) -> str:
    """Text, or a list of text parts; null only beside tool calls.

    Raises:
        ReadError: the content holds anything else.
    """
    if isinstance(content, str):
        return content
    if content is None and missing_allowed:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        other = next(
            (part for part in content if part.get("type") != "text" or not isinstance(part.get("text"), str)), None
        )
        if other is None:
            return "\n".join(part["text"] for part in content)
        raise ReadError(field, f"expected text, got a part of type {other.get('type')!r}; only text is read")
    raise ReadError(field, f"expected text, got {kind(content)}")


def canonical_calls(calls: Any, field: str) -> str:
    """Tool calls as one canonical JSON text: `[{"function": {"arguments": {...}, "name": ...}, "type": "function"}]`.

    Identifiers of calls are left out, since they are chance; arguments become an object when they are one in JSON text.

    Raises:
        ReadError: not a list of calls with a function's name.
    """
    if isinstance(calls, str):
        try:
            calls = orjson.loads(calls)
        except orjson.JSONDecodeError:
            raise ReadError(f"{field}.tool_calls", "expected JSON, got other text") from None
    if not isinstance(calls, list):
        raise ReadError(f"{field}.tool_calls", f"expected a list of calls, got {kind(calls)}")
    result = []
    for position, call in enumerate(calls):
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise ReadError(f"{field}.tool_calls[{position}]", "expected a call with a function's name")
        arguments = function.get("arguments", {})
        if isinstance(arguments, str):
            try:
                parsed = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                parsed = None
            arguments = parsed if isinstance(parsed, dict) else arguments
        result.append({"type": "function", "function": {"name": function["name"], "arguments": arguments}})
    return orjson.dumps(result, option=orjson.OPT_SORT_KEYS).decode()


def calls_in_text(content: str) -> tuple[str, Any]:
    """A ShareGPT function call: the calls when the text is JSON for one or several, else the text as it stands."""
    try:
        calls = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content, None
    calls = calls if isinstance(calls, list) else [calls]
    named = all(isinstance(call, dict) and isinstance(call.get("name"), str) for call in calls)
    return ("", calls) if calls and named else (content, None)


def spaced(value: Any) -> str:
    """JSON as Python's own encoder spaces it, which is how data sets hold their calls."""
    return json.dumps(value, ensure_ascii=False)


def openai_turn(turn: Message) -> Record:
    """`{role, content}`, with `tool_calls` (arguments as JSON text) and `name` where there are any."""
    record: Record = {"role": turn["role"], "content": turn["content"]}
    if turn["tool_calls"] is not None:
        record["tool_calls"] = orjson.loads(turn["tool_calls"])
        for call in record["tool_calls"]:
            if not isinstance(call["function"]["arguments"], str):
                call["function"]["arguments"] = spaced(call["function"]["arguments"])
    if turn["name"] is not None:
        record["name"] = turn["name"]
    return record


def sharegpt_turn(turn: Message) -> Record:
    """`{from, value}`; tool calls become a turn from `function_call`.

    Raises:
        CannotHold: one turn has both text and tool calls, or a turn that is not the assistant's calls a tool.
    """
    record: Record = {"from": SHAREGPT[turn["role"]], "value": turn["content"]}
    if turn["tool_calls"] is not None:
        if turn["content"] or turn["role"] != "assistant":
            raise CannotHold("text and tool calls in one turn")
        functions = [call["function"] for call in orjson.loads(turn["tool_calls"])]
        calls = [{"name": f["name"], "arguments": f["arguments"]} for f in functions]
        record = {"from": "function_call", "value": spaced(calls[0] if len(calls) == 1 else calls)}
    if turn["name"] is not None:
        record["name"] = turn["name"]
    return record
