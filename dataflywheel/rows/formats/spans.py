"""Spans of traces that hold what a model was asked and said: OpenTelemetry, OpenLLMetry, OpenInference (Phoenix)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.ends import whole
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.tool_specs import take_tools
from dataflywheel.rows.formats.turns import read_turn
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import Medium, Message, message

FIELDS = ("attributes", "span_attributes", "gen_ai", "llm")
ASKED = (("gen_ai", "input", "messages"), ("gen_ai", "prompt"), ("llm", "input_messages"))
SAID = (("gen_ai", "output", "messages"), ("gen_ai", "completion"), ("llm", "output_messages"))
TOOLS = (("gen_ai", "tool", "definitions"), ("llm", "request", "functions"), ("llm", "tools"))
SYSTEM = (("gen_ai", "system_instructions"),)


class Spans(Whole):
    """The turns in a span's attributes, with tools; where nothing was said, a prompt."""

    name = "span"

    def matches(self, keys: frozenset[str]) -> bool:
        return any(key.split(".", 1)[0] in FIELDS for key in keys)

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return bool(messages_at(attributes(record), ASKED))

    def content(self, record: Record) -> tuple[Draft, list[str]]:
        held = attributes(record)
        media: list[Medium] = []
        turns = [turn for one in messages_at(held, ASKED) for turn in spoken(one, media)]
        said = messages_at(held, SAID)
        if len(said) > 1:
            raise ReadError("", f"{len(said)} answers in one span; keep one of them")
        asked = len(turns)
        for answer in said:
            whole(answer, "")
            turns += spoken(answer, media)
        system = at(held, SYSTEM)
        if system and turns[0]["role"] != "system":
            turns = [message("system", read_content(texts(system), "gen_ai.system_instructions")), *turns]
            asked += 1
        specs = at(held, TOOLS)
        tools = take_tools({"functions": [specification(one) for one in specs]}) if isinstance(specs, list) else None
        keys = [key for key in record if key.split(".", 1)[0] in FIELDS]
        return Draft(turns, tools=tools, media=media, prompt_turns=asked), keys


def attributes(record: Mapping[str, Any]) -> Record:
    """The attributes of a span as a tree, whether they are nested, dotted, or a list of keys and values (OTLP)."""
    tree: Record = {}
    for key, value in record.items():
        if key.split(".", 1)[0] not in FIELDS:
            continue
        if isinstance(value, str) and key in FIELDS:
            value = in_text(value)
        if isinstance(value, list) and all(isinstance(one, dict) and {"key", "value"} <= one.keys() for one in value):
            value = {one["key"]: otlp(one["value"]) for one in value}
        plant(tree, key.removeprefix("attributes").removeprefix("span_attributes").strip("."), value)
    return dict(listed(tree))


def otlp(value: Any) -> Any:
    """A value of the OTLP protocol, without the name of its type."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    [(kind, held)] = value.items()
    if kind == "arrayValue":
        return [otlp(one) for one in held.get("values", [])]
    if kind == "kvlistValue":
        return {one["key"]: otlp(one["value"]) for one in held.get("values", [])}
    return held


def plant(tree: Record, path: str, value: Any) -> None:
    """Put a value at a dotted path; what has dotted names within is opened too."""
    if isinstance(value, dict):
        for key, held in value.items():
            plant(tree, f"{path}.{key}" if path else key, held)
        return
    *above, last = path.split(".")
    for name in above:
        held = tree.get(name)
        tree[name] = held = held if isinstance(held, dict) else {}
        tree = held
    tree[last] = [opened(one) for one in value] if isinstance(value, list) else value


def opened(value: Any) -> Any:
    """An object with dotted names as a tree."""
    if not isinstance(value, dict) or not any("." in key for key in value):
        return value
    tree: Record = {}
    plant(tree, "", value)
    return listed(tree)


def listed(value: Any) -> Any:
    """A tree in which numbered branches are lists."""
    if not isinstance(value, dict):
        return value
    held = {key: listed(one) for key, one in value.items()}
    if held and all(key.isdecimal() for key in held):
        return [held[key] for key in sorted(held, key=int)]
    return held


def at(tree: Record, paths: tuple[tuple[str, ...], ...]) -> Any:
    """What stands at the first of the paths, out of its JSON."""
    for path in paths:
        value: Any = tree
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        value = in_text(value) if isinstance(value, str) else value
        if isinstance(value, list | dict) and value:
            return value
    return None


def messages_at(tree: Record, paths: tuple[tuple[str, ...], ...]) -> list[Record]:
    """The messages there, each without what wraps it."""
    found = at(tree, paths)
    held = [one.get("message", one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return held if held and all(isinstance(one, dict) and "role" in one for one in held) else []


def spoken(turn: Record, media: list[Medium]) -> list[Message]:
    """The turns of one message, its calls and contents without what wraps them."""
    calls, contents = turn.get("tool_calls"), turn.get("contents")
    if isinstance(calls, list):
        turn = {**turn, "tool_calls": [one.get("tool_call", one) if isinstance(one, dict) else one for one in calls]}
    if isinstance(contents, list) and not turn.get("content"):
        parts = [one.get("message_content", one) if isinstance(one, dict) else one for one in contents]
        turn = {**turn, "content": parts}
    if isinstance(turn.get("content"), str) and turn["content"].lstrip()[:2] == "[{":
        turn = {**turn, "content": in_text(turn["content"])}
    return read_turn(turn, "messages", media)


def texts(system: Any) -> Any:
    """Instructions as parts of a content."""
    parts = system if isinstance(system, list) else [system]
    said = (one.get("content", one.get("text")) if isinstance(one, dict) else one for one in parts)
    return [{"type": "text", "text": one} for one in said]


def specification(tool: Any) -> Any:
    """One tool without what wraps it, and out of its JSON."""
    for name in ("tool", "json_schema"):
        tool = tool.get(name, tool) if isinstance(tool, dict) else tool
        tool = in_text(tool) if isinstance(tool, str) else tool
    if isinstance(tool, dict) and isinstance(tool.get("parameters"), str):
        return {**tool, "parameters": in_text(tool["parameters"])}
    return tool
