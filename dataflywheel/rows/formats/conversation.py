"""Chats as a list of turns under one key, with tools, a system prompt beside them, or two answers to compare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from dataflywheel.rows.formats.beside_chat import completed, marked
from dataflywheel.rows.formats.chats import in_form, retold, told
from dataflywheel.rows.formats.draft import CannotHold, Draft, Record, plain
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.tool_specs import take_tools
from dataflywheel.rows.formats.turns import ROLES, read_turns
from dataflywheel.rows.schema import Medium, Message


class Conversation(Shape):
    """What the OpenAI and ShareGPT shapes share; they differ in the key and in the spelling of a turn."""

    key: str
    turn: Callable[[Message], Record]

    def matches(self, keys: frozenset[str]) -> bool:
        return self.key in keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        # Two whole conversations are a comparison; one of them alone is just another field.
        return record.get(self.key) != [] and not (whole(record.get("chosen")) and whole(record.get("rejected")))

    def parse(self, record: Record) -> Draft:
        media: list[Medium] = []
        given = record.pop(self.key)
        value = marked(given, record) if record else given
        if in_form(value):
            messages, form = told(value, self.key, media)
            draft, exact = Draft(messages, extra=record, media=media, names={"form": form}), False
        else:
            messages, exact = read_turns(value, self.key, media)
            draft = Draft(messages, extra=record, media=media)
        exact = exact and value is given
        if not exact and (tools := tools_in(value)) is not None:
            draft.tools = tools
        exact = completed(draft, record, self.key, self.sure) and exact
        draft.exact = exact and self.key == "messages"
        return draft

    def render(self, draft: Draft) -> Record:
        record: Record = {}
        messages = draft.messages
        if "form" in draft.names and draft.rejected is None:
            with contextlib.suppress(CannotHold):
                return {self.key: retold(messages, draft.names["form"])}
        if draft.rejected is not None:
            messages, chosen, rejected = draft.pair()
            if len(chosen) != 1 or len(rejected) != 1:
                raise CannotHold("answers to compare that are several turns long")
            record = {"chosen": self.turn(chosen[0]), "rejected": self.turn(rejected[0])}
        elif "completion" in draft.names and messages and messages[-1]["role"] == "assistant":
            record[draft.names["completion"]] = plain(messages[-1])
            messages = messages[:-1]
        if not messages:
            raise CannotHold("a row without a prompt beside its answers")
        return {self.key: [written for turn in messages for written in self.spoken(turn)], **record}

    def spoken(self, turn: Message) -> list[Record]:
        """A turn as the shape writes it, in several where it has to."""
        return [self.turn(turn)]


def whole(value: Any) -> bool:
    """Whether a value is a list of turns that does not begin with the assistant's."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return isinstance(value, list) and not (value and isinstance(value[0], str))
    return ROLES.get(str(value[0].get("role", value[0].get("from")))) != "assistant"


def tools_in(turns: Any) -> str | None:
    """The specifications of tools that stand in a turn (Kimi, OLMo), where they are written in one only."""
    held = [turn for turn in turns if isinstance(turn, dict) and (turn.get("tools") or turn.get("functions"))]
    return take_tools(dict(held[0])) if isinstance(turns, list) and len(held) == 1 else None
