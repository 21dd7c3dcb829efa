"""Turns of a chat in their two usual spellings: `role`/`content` (OpenAI) and `from`/`value` (ShareGPT)."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import CannotHold, ReadError, Record, kind
from dataflywheel.rows.formats.tool_calls import calls_in_text, canonical_calls, spaced
from dataflywheel.rows.schema import Medium, Message, message

ROLES = {
    **{name: "system" for name in ("system", "developer")},
    **{name: "user" for name in ("user", "human", "prompter")},
    **{name: "assistant" for name in ("assistant", "gpt", "chatgpt", "bot", "model", "function_call", "tool_call")},
    **{name: "tool" for name in ("tool", "observation", "function", "tool_response", "ipython")},
}
CANONICAL = frozenset({"system", "user", "assistant", "tool"})
SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def read_turns(value: Any, field: str, media: list[Medium] | None = None) -> tuple[list[Message], bool]:
    """Turns in either spelling, and whether each of them is exactly `{role, content}` with a canonical role.

    Images and sounds within the turns are added to `media`, and refused where there is none.

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
                turns.append(message(role, content))
                continue
        exact = False
        turns.append(read_turn(turn, f"{field}[{position}]", media))
    return turns, exact


def read_turn(turn: Any, field: str, media: list[Medium] | None = None) -> Message:
    """One turn in either spelling, with all that a turn may hold; null is absent.

    Raises:
        ReadError: names the field and what was expected.
    """
    if not isinstance(turn, dict):
        raise ReadError(field, f"expected a turn {{role, content}}, got {kind(turn)}")
    role_key, content_key = ("from", "value") if turn.get("role") is None and "from" in turn else ("role", "content")
    given = turn.get(role_key)
    role = ROLES.get(given) if isinstance(given, str) else None
    if role is None:
        found = "nothing" if given is None else repr(given)
        raise ReadError(f"{field}.{role_key}", f"expected one of {', '.join(sorted(CANONICAL))}, got {found}")
    calls = turn.get("tool_calls")
    if not calls and isinstance(turn.get("function_call"), dict):
        calls = [turn["function_call"]]
    thoughts = read_thoughts(turn, field)
    allowed = bool(calls) or thoughts is not None
    content = read_content(turn.get(content_key), f"{field}.{content_key}", allowed, media)
    if given in ("function_call", "tool_call"):
        content, calls = calls_in_text(content)
    name, call_id = turn.get("name"), turn.get("tool_call_id")
    return message(
        role,
        content,
        canonical_calls(calls, field) if calls else None,
        name if isinstance(name, str) else None,
        reasoning=thoughts,
        tool_call_id=call_id if isinstance(call_id, str) else None,
        learn=read_learn(turn, role, field),
    )


THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thoughts")
"""The names under which data sets and endpoints give a turn's thoughts."""
LEARN = ("learn", "weight", "train", "training", "loss")
"""The names under which data sets say whether a turn is to be learned."""


def read_thoughts(turn: Record, field: str) -> str | None:
    """The thoughts of a turn.

    Raises:
        ReadError: two fields give different ones.
    """
    found = {key: turn[key] for key in THOUGHTS if isinstance(turn.get(key), str) and turn[key]}
    if len(set(found.values())) > 1:
        raise ReadError(f"{field}.{list(found)[1]}", f"other thoughts than in {next(iter(found))}; keep one of them")
    return next(iter(found.values()), None)


def read_learn(turn: Record, role: str, field: str) -> bool | None:
    """False for an assistant's turn that must not be learned; None where learning it is as usual.

    Raises:
        ReadError: a weight between none and all, or a turn to be learned that is not the assistant's.
    """
    for key in LEARN:
        given = turn.get(key)
        if given is None:
            continue
        if not isinstance(given, bool | int | float) or given not in (0, 1):
            raise ReadError(
                f"{field}.{key}", f"expected true or false, or 0 or 1, got {given!r}; no other weight is kept"
            )
        if role != "assistant":
            if given and key != "weight":
                raise ReadError(f"{field}.{key}", f"a turn of the {role} cannot be learned; only the assistant's are")
            return None
        return None if given else False
    return None


def openai_turn(turn: Message) -> Record:
    """`{role, content}`, with `tool_calls` (arguments as JSON text) and `name` where there are any."""
    record: Record = {"role": turn["role"], "content": turn["content"]}
    if turn["tool_calls"] is not None:
        record["tool_calls"] = orjson.loads(turn["tool_calls"])
        for call in record["tool_calls"]:
            if not isinstance(call["function"]["arguments"], str):
                call["function"]["arguments"] = spaced(call["function"]["arguments"])
    return record | beside(turn)


def beside(turn: Message) -> Record:
    """What a turn holds beside its role, content and tool calls, under its usual names."""
    record: Record = {}
    if turn["name"] is not None:
        record["name"] = turn["name"]
    if turn["reasoning"] is not None:
        record["reasoning_content"] = turn["reasoning"]
    if turn["tool_call_id"] is not None:
        record["tool_call_id"] = turn["tool_call_id"]
    if turn["learn"] is not None:
        record["weight"] = int(turn["learn"])
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
        calls = [
            {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            | ({"id": call["id"]} if "id" in call else {})
            for call in orjson.loads(turn["tool_calls"])
        ]
        record = {"from": "function_call", "value": spaced(calls[0] if len(calls) == 1 else calls)}
    return record | beside(turn)
