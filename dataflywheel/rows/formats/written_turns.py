"""Turns as records hold them: `role`/`content` (OpenAI) and `from`/`value` (ShareGPT)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import orjson

from dataflywheel.rows.formats.draft import CannotHold, Record
from dataflywheel.rows.formats.tool_calls import spaced
from dataflywheel.rows.schema import Message

SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def openai_turn(turn: Message) -> Record:
    """`{role, content}`, with `tool_calls` (arguments as JSON text) and `name` where there are any."""
    record: Record = {"role": turn["role"], "content": turn["content"]}
    if turn["tool_calls"] is not None:
        record["tool_calls"] = orjson.loads(turn["tool_calls"])
        for call in record["tool_calls"]:
            if not isinstance(call["function"]["arguments"], str):
                call["function"]["arguments"] = spaced(call["function"]["arguments"])
    return record | beside(turn)


def asked_turns(messages: Iterable[Message]) -> tuple[Record, ...]:
    """Turns as an endpoint is asked about them: with calls, results and names, without thoughts and marks."""
    bare = ({**turn, "reasoning": None, "learn": None} for turn in messages)
    return tuple(openai_turn(cast(Message, turn)) for turn in bare)


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
