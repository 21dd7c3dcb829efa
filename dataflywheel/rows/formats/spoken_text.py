"""A chat in one text, each turn begun by who speaks: `USER:`, `ASSISTANT:`, `FUNCTION RESPONSE:` (Glaive)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.names import by_name, first
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import Message, message

KEYS = ("chat", "conversation", "dialogue", "dialog", "input")
SPEAKERS = {
    **dict.fromkeys(("USER", "User", "HUMAN", "Human"), "user"),
    **dict.fromkeys(("ASSISTANT", "Assistant", "GPT", "AI"), "assistant"),
    **dict.fromkeys(("FUNCTION RESPONSE", "TOOL"), "tool"),
    **dict.fromkeys(("SYSTEM", "System"), "system"),
}
MARK = re.compile(rf"^({'|'.join(SPEAKERS)}):", re.MULTILINE)
BARRED = re.compile(r"^\[\|(Human|AI)\|\]", re.MULTILINE)
"""The marks of Baize, whose chats stand under `input` behind a sentence about them."""
END = "<|endoftext|>"


class SpokenText(Whole):
    """A chat as text; spaces around a turn and the mark of its end are not part of it."""

    name = "spoken_text"

    def matches(self, keys: frozenset[str]) -> bool:
        return first(by_name(keys), KEYS) is not None

    def accepts(self, record: Mapping[str, Any]) -> bool:
        key = first(by_name(frozenset(record)), KEYS)
        if key is None or (key == "input" and "[|Human|]" not in str(record[key])):
            return False
        return {"user", "assistant"} <= {turn["role"] for turn in turns_in(record[key])}

    def add_system(self, draft: Draft, key: str, said: str, record: Record) -> Record:
        return super().add_system(draft, key, said.removeprefix("SYSTEM:").strip(), record)

    def content(self, record: Record) -> tuple[Draft, tuple[str]]:
        key = first(by_name(frozenset(record)), KEYS)
        turns = turns_in(record[key]) if key is not None else []
        if key is None or not turns:
            raise ReadError(key or "", "expected a chat as text, each turn begun by USER: or ASSISTANT:")
        return Draft(turns), (key,)


def turns_in(text: Any) -> list[Message]:
    """The turns of a text; none where it does not begin with a speaker.

    What stands before the first mark of Baize is its system text; the last turn, which nobody has filled, is none.
    """
    if not isinstance(text, str):
        return []
    barred = "[|Human|]" in text
    before, *parts = (BARRED if barred else MARK).split(text)
    if before.strip() and not barred:
        return []
    pairs = zip(parts[::2], parts[1::2], strict=True)
    turns = [message(SPEAKERS[who], said.strip().removesuffix(END).rstrip()) for who, said in pairs]
    if barred and turns and not turns[-1]["content"]:
        del turns[-1]
    return [message("system", before.strip()), *turns] if before.strip() else turns
