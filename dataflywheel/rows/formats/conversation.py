"""Chats as a list of turns under one key, with tools, a system prompt beside them, or two answers to compare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from dataflywheel.rows.formats.chats import in_form, retold, told
from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, plain
from dataflywheel.rows.formats.flat import long, turns_of
from dataflywheel.rows.formats.history import history_turns
from dataflywheel.rows.formats.names import COMPLETIONS, HISTORY, LESS, SOLUTIONS, by_name, folded, others
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.tool_specs import take_tools
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
        value = record.pop(self.key)
        if in_form(value):
            messages, form = told(value, self.key, media)
            draft, exact = Draft(messages, extra=record, media=media, names={"form": form}), False
        else:
            messages, exact = read_turns(value, self.key, media)
            draft = Draft(messages, extra=record, media=media)
        before = before_chat(record, messages)
        if before:
            first = int(messages[0]["role"] == "system")
            draft.messages, exact = [*messages[:first], *before, *messages[first:]], False
        if not exact and (tools := tools_in(value)) is not None:
            draft.tools = tools
        both = "chosen" in record and "rejected" in record
        if both and (messages[-1]["role"] != "assistant" or isinstance(record["chosen"], dict)):
            chosen, draft.rejected = (turns_of(record, key, "assistant", media) for key in ("chosen", "rejected"))
            del record["chosen"], record["rejected"]
            draft.prompt_turns = len(draft.messages)
            draft.messages = [*draft.messages, *chosen]
            exact = False
        elif messages[-1]["role"] != "assistant":
            exact = not answer_beside(draft, record) and exact
        elif not both or says_again(record["chosen"], messages[-1]):
            exact = not worse_beside(draft, record) and exact
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


WORSE = ("rejected_messages", "rejected_response", "rejected_answer", "rejected")
"""Columns that hold the worse answer to a chat that ends with the better one (ms-swift)."""


def worse_beside(draft: Draft, record: Record) -> bool:
    """Take the worse answer from a column beside a whole chat.

    Raises:
        ReadError: it is no answer, or a chat that goes another way before its last turn.
    """
    names = by_name(frozenset(record))
    key = next((names[name] for name in WORSE if name in names and worse(record[names[name]], name)), None)
    if key is None:
        return False
    turns = turns_of(record, key, "assistant", draft.media)
    cut = len(draft.messages) - 1
    rejected = turns if turns[0]["role"] == "assistant" else turns[cut:]
    if (
        len(rejected) != 1
        or rejected[0]["role"] != "assistant"
        or (len(turns) > 1 and turns[:cut] != draft.messages[:cut])
    ):
        raise ReadError(
            key, "expected one worse answer to the same turns; write the row as prompt, chosen and rejected"
        )
    draft.rejected, draft.prompt_turns = rejected, cut
    del record[key]
    return True


def says_again(chosen: Any, last: Message) -> bool:
    """Whether the better answer is the chat's last turn.

    Raises:
        ReadError: it is another answer.
    """
    if not isinstance(chosen, str | list | dict) or not chosen:
        return False
    turns = turns_of({"chosen": chosen}, "chosen", "assistant", [])
    if turns[-1]["content"] != last["content"]:
        raise ReadError("chosen", "another answer than the last turn of the chat; leave that turn or this column out")
    return True


def before_chat(record: Record, messages: list[Message]) -> list[Message]:
    """The turns of a history beside a chat that the chat does not say itself."""
    names = by_name(frozenset(record))
    key = next((names[name] for name in HISTORY if isinstance(record.get(names.get(name, "")), list)), None)
    turns = [] if key is None else history_turns(record[key], key)
    known = {turn["content"] for turn in messages}
    return [] if all(turn["content"] in known for turn in turns) else turns


def worse(value: Any, name: str) -> bool:
    """Whether a column of such a name holds an answer, and not whether the row was rejected."""
    return isinstance(value, list | dict) or (isinstance(value, str) and (name != "rejected" or long(value)))


def tools_in(turns: Any) -> str | None:
    """The specifications of tools that stand in a turn (Kimi, OLMo), where they are written in one only."""
    held = [turn for turn in turns if isinstance(turn, dict) and (turn.get("tools") or turn.get("functions"))]
    return take_tools(dict(held[0])) if isinstance(turns, list) and len(held) == 1 else None
