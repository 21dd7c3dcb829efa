"""A chat in one text, each turn begun by who speaks: `USER:`, `ASSISTANT:`, `FUNCTION RESPONSE:` (Glaive)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.names import by_name, first
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import Message, message

KEYS = ("chat", "conversation", "dialogue", "dialog")
SPEAKERS = {
    **dict.fromkeys(("USER", "User", "HUMAN", "Human"), "user"),
    **dict.fromkeys(("ASSISTANT", "Assistant", "GPT", "AI"), "assistant"),
    **dict.fromkeys(("FUNCTION RESPONSE", "TOOL"), "tool"),
    **dict.fromkeys(("SYSTEM", "System"), "system"),
}
MARK = re.compile(rf"^({'|'.join(SPEAKERS)}):", re.MULTILINE)
END = "<|endoftext|>"


class SpokenText(Whole):
    """A chat as text; spaces around a turn and the mark of its end are not part of it."""

    name = "spoken_text"

    def matches(self, keys: frozenset[str]) -> bool:
        return first(by_name(keys), KEYS) is not None

    def accepts(self, record: Mapping[str, Any]) -> bool:
        key = first(by_name(frozenset(record)), KEYS)
        return key is not None and {"user", "assistant"} <= {turn["role"] for turn in turns_in(record[key])}

    def content(self, record: Record) -> tuple[Draft, tuple[str]]:
        key = first(by_name(frozenset(record)), KEYS)
        turns = turns_in(record[key]) if key is not None else []
        if key is None or not turns:
            raise ReadError(key or "", "expected a chat as text, each turn begun by USER: or ASSISTANT:")
        return Draft(turns), (key,)


def turns_in(text: Any) -> list[Message]:
    """The turns of a text; none where it does not begin with a speaker."""
    if not isinstance(text, str):
        return []
    before, *parts = MARK.split(text)
    if before.strip():
        return []
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [message(SPEAKERS[who], said.strip().removesuffix(END).rstrip()) for who, said in pairs]
