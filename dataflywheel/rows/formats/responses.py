"""The items of OpenAI's Responses API as turns: messages, calls, their outputs, and summaries of thoughts."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.rows.formats.draft import ReadError, Record, present
from dataflywheel.rows.formats.ends import whole
from dataflywheel.rows.formats.tool_calls import canonical_calls
from dataflywheel.rows.formats.turn_thoughts import UNREADABLE, is_sealed
from dataflywheel.rows.formats.turns import read_turn
from dataflywheel.rows.schema import Medium, Message, message

ITEMS = frozenset({"message", "function_call", "function_call_output", "reasoning"})


def are_items(value: Any) -> bool:
    """Whether a list holds items, and not only turns."""
    return isinstance(value, list) and any(isinstance(item, dict) and item.get("type") in ITEMS for item in value)


def read_items(value: list[Any], field: str, media: list[Medium]) -> list[Message]:
    """The turns of a list of items; calls that follow each other are of one turn.

    Raises:
        ReadError: an item of another type, or thoughts that nothing follows.
    """
    turns: list[Message] = []
    thoughts: list[str] = []
    waiting: list[Record] = []
    for position, item in enumerate(value):
        where = f"{field}[{position}]"
        item = present(item) if isinstance(item, dict) else {}
        type = item.get("type", "message" if "role" in item else None)
        if type not in ITEMS:
            raise ReadError(where, f"expected one of {', '.join(sorted(ITEMS))}, got {type!r}")
        if type == "function_call":
            call: Record = {"function": {"name": item.get("name"), "arguments": item.get("arguments", {})}}
            waiting.append({**call, "id": item["call_id"]} if "call_id" in item else call)
            continue
        if waiting:
            turns.append(called(waiting, thoughts, where))
            waiting, thoughts = [], []
        if type == "reasoning":
            parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
            said = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
            if not said and is_sealed("", item):
                raise ReadError(where, UNREADABLE)
            thoughts += said
        elif type == "function_call_output":
            output = item.get("output", "")
            text = output if isinstance(output, str) else orjson.dumps(output).decode()
            turns.append(message("tool", text, tool_call_id=item.get("call_id")))
        else:
            whole({"status": item.get("status")}, where)
            [turn] = read_turn({key: held for key, held in item.items() if key != "type"}, where, media)
            if turn["role"] == "assistant" and thoughts:
                turn["reasoning"], thoughts = "\n\n".join(thoughts), []
            turns.append(turn)
    if waiting:
        turns.append(called(waiting, thoughts, field))
        thoughts = []
    if thoughts:
        raise ReadError(field, "thoughts that no turn of the assistant follows")
    return turns


def called(calls: list[Record], thoughts: list[str], field: str) -> Message:
    return message("assistant", "", canonical_calls(calls, field), reasoning="\n\n".join(thoughts) or None)
