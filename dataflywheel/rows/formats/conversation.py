"""Chats as a list of turns under one key, with tools, a system prompt beside them, or two answers to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, plain
from dataflywheel.rows.formats.flat import turns_of
from dataflywheel.rows.formats.names import COMPLETIONS, LESS, SOLUTIONS, folded, others
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.turns import ROLES, read_turns
from dataflywheel.rows.schema import Medium, Message, message

CHAT = frozenset({"messages"})


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
        messages, exact = read_turns(record.pop(self.key), self.key, media)
        draft = Draft(messages, extra=record, media=media)
        both = "chosen" in record and "rejected" in record
        if both and (messages[-1]["role"] != "assistant" or isinstance(record["chosen"], dict)):
            chosen, draft.rejected = (turns_of(record, key, "assistant", media) for key in ("chosen", "rejected"))
            del record["chosen"], record["rejected"]
            draft.prompt_turns = len(messages)
            draft.messages = [*messages, *chosen]
            exact = False
        elif messages[-1]["role"] != "assistant":
            exact = not answer_beside(draft, record) and exact
        draft.exact = exact and self.key == "messages"
        return draft

    def render(self, draft: Draft) -> Record:
        record: Record = {}
        messages = draft.messages
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
        return {self.key: [self.turn(turn) for turn in messages], **record}


def whole(value: Any) -> bool:
    """Whether a value is a list of turns that does not begin with the assistant's."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return isinstance(value, list)
    return ROLES.get(str(value[0].get("role", value[0].get("from")))) != "assistant"


def answer_beside(draft: Draft, record: Record) -> bool:
    """Take the answer to the turns from a column beside them, where exactly one is named as an answer.

    Raises:
        ReadError: several columns are.
    """
    keys = [key for key in others(frozenset(record), CHAT) if record[key] not in ("", [], {})]
    held = [key for key in keys if folded(key) in COMPLETIONS]
    held = held or [key for key in keys if folded(key) in SOLUTIONS] or [key for key in keys if folded(key) in LESS]
    if len(held) > 1:
        raise ReadError(held[1], f"an answer beside {held[0]}; say which: columns: {{answer: {held[0]}}}")
    if not held or not isinstance(record[held[0]], str):
        return False
    draft.messages = [*draft.messages, message("assistant", record.pop(held[0]))]
    draft.names["completion"] = held[0]
    return True
