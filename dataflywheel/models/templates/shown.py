"""Whether a rendered text shows what a turn holds: templates delete, move and rewrite, most of them in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from dataflywheel.rows.schema import Message
from dataflywheel.rows.thoughts import split_thoughts

SPACE = re.compile(r"\s+")
SWITCH = re.compile(r"/(?:no_)?think\b")
EVIDENCE = 8
"""Characters of a text that does not stand in another by chance."""


def lost(text: str, turn: Message) -> str:
    """What of a turn is not in a text, in words; "" where all of it is."""
    if turn["reasoning"] and not holds(text, turn["reasoning"]):
        return "the thoughts"
    content = turn["content"]
    if not holds(text, content):
        thoughts, answer = split_thoughts(content)
        return "the thoughts in the text" if thoughts and holds(text, answer) else "the text"
    beside = without(text, [content, turn["reasoning"] or ""]) if turn["tool_calls"] else ""
    for call in orjson.loads(turn["tool_calls"]) if turn["tool_calls"] else ():
        function = call.get("function", call)
        if function["name"] not in beside or not all(holds(text, leaf) for leaf in leaves(function.get("arguments"))):
            return "the tool calls"
    return ""


def lost_before(text: str, turn: Message) -> str:
    """What of a turn that is only read is not in a text: thoughts that a model need not see again may go, and switches
    that the template obeys."""
    content = turn["content"]
    if turn["role"] == "assistant":
        content = split_thoughts(content)[1]
    elif switched(text, turn):
        content = SWITCH.sub("", content)
    bare: Message = {**turn, "content": content, "reasoning": None}
    return lost(text, bare)


def switched(text: str, turn: Message) -> bool:
    """Whether a text lacks a turn only for a switch in it, `/think` or `/no_think`, which some templates take out."""
    content = turn["content"]
    return SWITCH.search(content) is not None and not holds(text, content)


def lost_tools(text: str, tools: list[Any], turns: Sequence[Message]) -> str:
    """Whether a text leaves tool specifications out: their names stand in it, and not only in what the turns say."""
    beside = without(text, [turn["content"] for turn in turns])
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        name = function.get("name") if isinstance(function, dict) else None
        if isinstance(name, str) and name not in beside:
            return "the tools"
    return ""


def without(text: str, pieces: Sequence[str]) -> str:
    """A text without the pieces that have a space in them: the word that names a tool (`search`) may stand in those."""
    for piece in sorted((piece.strip() for piece in pieces), key=len, reverse=True):
        text = text.replace(piece, "\n") if SPACE.search(piece) else text
    return text


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


def holds_another(text: str, turns: Sequence[Message], place: int, frame: str) -> int:
    """The turn, counted from 1, whose text stands within that of the turn at `place` though that does not say it; 0
    where there is none. Short texts, and those of the `frame` around every answer, are no evidence."""
    turn = turns[place]
    calls = [call.get("function", call) for call in orjson.loads(turn["tool_calls"] or "[]")]
    said = [turn["content"], turn["reasoning"] or ""]
    said += [leaf for call in calls for leaf in (str(call["name"]), *leaves(call.get("arguments")))]
    for piece in filter(None, said):
        text = text.replace(piece.strip(), "\n")
    for number, other in enumerate(turns, 1):
        content = other["content"].strip()
        if number - 1 != place and len(content) >= EVIDENCE and content in text and content not in frame:
            return number
    return 0


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
