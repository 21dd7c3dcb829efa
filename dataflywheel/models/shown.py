"""Whether a rendered text shows what a turn holds: templates delete, move and rewrite, most of them in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from dataflywheel.rows.schema import Message
from dataflywheel.rows.thoughts import split_thoughts

SPACE = re.compile(r"\s+")


def lost(text: str, turn: Message) -> str:
    """What of a turn is not in a text, in words; "" where all of it is."""
    if turn["reasoning"] and not holds(text, turn["reasoning"]):
        return "the thoughts"
    content = turn["content"]
    if not holds(text, content):
        thoughts, answer = split_thoughts(content)
        return "the thoughts in the text" if thoughts and holds(text, answer) else "the text"
    for call in orjson.loads(turn["tool_calls"]) if turn["tool_calls"] else ():
        function = call.get("function", call)
        if function["name"] not in text or not all(holds(text, leaf) for leaf in leaves(function.get("arguments"))):
            return "the tool calls"
    return ""


def lost_before(text: str, turn: Message) -> str:
    """What of a turn that is only read is not in a text: thoughts that a model need not see again may go."""
    content = turn["content"]
    if turn["role"] == "assistant":
        content = split_thoughts(content)[1]
    bare: Message = {**turn, "content": content, "reasoning": None}
    return lost(text, bare)


def lost_tools(text: str, tools: list[Any]) -> str:
    """Whether a text leaves tool specifications out."""
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        name = function.get("name") if isinstance(function, dict) else None
        if isinstance(name, str) and name not in text:
            return "the tools"
    return ""


def holds(text: str, piece: str) -> bool:
    """Whether a piece stands in a text: as it is, as in JSON, or with other white space."""
    bare = piece.strip()
    if not bare or bare in text:
        return True
    for plain in (False, True):
        if json.dumps(bare, ensure_ascii=plain)[1:-1] in text:
            return True
    return SPACE.sub("", bare) in SPACE.sub("", text)


def as_written(text: str, turn: Message) -> bool:
    """Whether the texts of a turn stand in a text just as the row has them, but for white space around them."""
    return all(piece.strip() in text for piece in (turn["content"], turn["reasoning"] or ""))


def leaves(value: Any) -> Iterator[str]:
    """The texts and numbers within JSON data, as a template may write them."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield json.dumps(value)
