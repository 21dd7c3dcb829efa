"""Chats as a list of turns under one key, with tools, a system prompt beside them, or two answers to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.turns import read_turn, read_turns
from dataflywheel.rows.schema import Medium, Message, message


class Conversation(Shape):
    """What the OpenAI and ShareGPT shapes share; they differ in the key and in the spelling of a turn."""

    key: str
    turn: Callable[[Message], Record]

    def matches(self, keys: frozenset[str]) -> bool:
        return self.key in keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        # Two whole conversations are a comparison; one of them alone is just another field.
        return not (isinstance(record.get("chosen"), list) and isinstance(record.get("rejected"), list))

    def parse(self, record: Record) -> Draft:
        media: list[Medium] = []
        messages, exact = read_turns(record.pop(self.key), self.key, media)
        rejected = None
        if isinstance(record.get("chosen"), dict) and isinstance(record.get("rejected"), dict):
            messages.append(read_turn(record.pop("chosen"), "chosen", media))
            rejected = [read_turn(record.pop("rejected"), "rejected", media)]
            exact = False
        system = record.get("system")
        if isinstance(system, str) and system and messages[0]["role"] != "system":
            messages.insert(0, message("system", system))
            exact = False
        tools = take_tools(record)
        exact = exact and tools is None and "label" not in record
        return Draft(messages, rejected, tools, None, record, exact=exact, media=media)

    def render(self, draft: Draft) -> Record:
        record: Record = {}
        messages = draft.messages
        if draft.rejected is not None:
            messages, chosen, rejected = draft.pair()
            if len(chosen) != 1 or len(rejected) != 1:
                raise CannotHold("answers to compare that are several turns long")
            record = {"chosen": self.turn(chosen[0]), "rejected": self.turn(rejected[0])}
        if messages and messages[0]["role"] == "system" and messages[0]["content"] == draft.extra.get("system"):
            record["system"] = draft.extra.pop("system")
            messages = messages[1:]
        if not messages:
            raise CannotHold("a row without a prompt beside its answers")
        if draft.tools is not None:
            record["tools"] = self.tools(draft.tools)
        return {self.key: [self.turn(turn) for turn in messages], **record}

    def tools(self, tools: str) -> Any:
        return tools


def take_tools(record: Record) -> str | None:
    """Take tool specifications: text as it stands, a list or an object as canonical JSON."""
    tools = record.get("tools")
    if not isinstance(tools, str | list | dict):
        return None
    del record["tools"]
    return tools if isinstance(tools, str) else orjson.dumps(tools, option=orjson.OPT_SORT_KEYS).decode()


def tool_list(tools: str) -> Any:
    """Canonical tool specifications as JSON values; other text as it stands."""
    try:
        value = orjson.loads(tools)
    except orjson.JSONDecodeError:
        return tools
    same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() == tools
    return value if same and isinstance(value, list | dict) else tools
