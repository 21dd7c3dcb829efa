"""Chosen and rejected chats as text, turns marked `\\n\\nHuman:` and `\\n\\nAssistant:`: Anthropic's HH data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record, plain, text
from dataflywheel.rows.formats.preference import shared
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.speech import MARK, split
from dataflywheel.rows.schema import Message

SPEAKERS = {"user": "Human", "assistant": "Assistant"}


class Transcript(Shape):
    """Two transcripts that share their beginning."""

    name = "transcript"
    own = frozenset({"chosen", "rejected"})
    system_column = True

    def matches(self, keys: frozenset[str]) -> bool:
        return {"chosen", "rejected"} <= keys and "prompt" not in keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return all(isinstance(record[key], str) and MARK.match(record[key]) for key in ("chosen", "rejected"))

    def parse(self, record: Record) -> Draft:
        chosen, rejected = split(text(record, "chosen")), split(text(record, "rejected"))
        count = shared(chosen, rejected)
        return Draft(chosen, rejected[count:], extra=record, prompt_turns=count)

    def render(self, draft: Draft) -> Record:
        prompt, chosen, rejected = draft.pair()
        return {"chosen": join([*prompt, *chosen]), "rejected": join([*prompt, *rejected])}


def join(messages: Sequence[Message]) -> str:
    """The transcript of a chat.

    Raises:
        CannotHold: a turn is not the user's or the assistant's, or has tool calls.
    """
    if any(m["role"] not in SPEAKERS for m in messages):
        raise CannotHold("turns other than user and assistant")
    return "".join(f"\n\n{SPEAKERS[m['role']]}:{' ' if m['content'] else ''}{plain(m)}" for m in messages)
