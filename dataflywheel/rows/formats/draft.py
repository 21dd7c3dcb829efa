"""The content of a row on its way in or out, and what can go wrong on that way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from dataflywheel.rows.schema import Medium, Message, Row

Record = dict[str, Any]


class ReadError(Exception):
    """A record that cannot become a row: `field` is where, `reason` what is wrong and what was expected."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


class CannotHold(Exception):  # noqa: N818 - says what happened: the shape has no place for the row
    """The shape has no place for something in the row; the text says for what."""


@dataclass
class Draft:
    """The content of a row before it has an identity, with `extra` still a dict.

    `prompt_turns` counts the turns that `messages` and `rejected` share; None means all turns but the last.
    `exact` says that rendering the draft is known to give the record back. `names` are the record's own names of the
    shape's fields, where they are others; `whole` are fields that stay together because no plain spelling holds them.
    """

    messages: list[Message]
    rejected: list[Message] | None = None
    tools: str | None = None
    label: str | None = None
    extra: Record = field(default_factory=dict)
    prompt_turns: int | None = None
    exact: bool = False
    media: list[Medium] = field(default_factory=list)
    cells: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    whole: Record = field(default_factory=dict)

    def pair(self) -> tuple[list[Message], list[Message], list[Message]]:
        """Prompt, chosen continuation and rejected continuation.

        Raises:
            CannotHold: the row has no rejected answer.
        """
        if self.rejected is None:
            raise CannotHold("a row without a rejected answer")
        cut = len(self.messages) - 1 if self.prompt_turns is None else self.prompt_turns
        return self.messages[:cut], self.messages[cut:], self.rejected

    def turn(self) -> tuple[str, str]:
        """The prompt and the answer of a row that is one plain user turn and one plain assistant turn.

        Raises:
            CannotHold: the row has other turns, or a rejected answer.
        """
        if self.rejected is not None:
            raise CannotHold("a rejected answer")
        if [m["role"] for m in self.messages] != ["user", "assistant"]:
            raise CannotHold(f"turns other than user, assistant (it has {roles(self.messages)})")
        return plain(self.messages[0]), plain(self.messages[1])


BESIDE_CONTENT = {
    "tool_calls": "tool calls",
    "name": "a speaker's name",
    "reasoning": "thoughts",
    "tool_call_id": "the id of a tool call",
    "learn": "a turn that must not be learned",
}
"""What a turn may hold beside its role and content, in the words of a refusal."""


def roles(messages: Iterable[Message]) -> str:
    return ", ".join(m["role"] for m in messages)


def plain(message: Message) -> str:
    """The content of a message that has nothing else.

    Raises:
        CannotHold: it has thoughts, tool calls, a name, or must not be learned.
    """
    for key, what in BESIDE_CONTENT.items():
        if message[key] is not None:  # type: ignore[literal-required]
            raise CannotHold(what)
    return message["content"]


def text(record: Record, key: str) -> str:
    """Take a text field out of a record.

    Raises:
        ReadError: the field is not text.
    """
    value = record.pop(key)
    if not isinstance(value, str):
        raise ReadError(key, f"expected text, got {kind(value)}")
    return value


def present(value: Any) -> Any:
    """A value without the fields of its objects that are null: columns of joined data sets fill up with them.

    >>> present({"a": 1, "b": None, "c": [{"d": None, "e": 2}]})
    {'a': 1, 'c': [{'e': 2}]}
    """
    if isinstance(value, dict):
        return {key: present(item) for key, item in value.items() if item is not None}
    return [present(item) for item in value] if isinstance(value, list) else value


def texts_in(value: Any) -> list[str]:
    """All texts within a value, those of roles and types left out."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, dict):
        return [text for key, item in value.items() if key not in ("role", "from", "type") for text in texts_in(item)]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else []


UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Letters of the scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def has_words(text: str, count: int) -> bool:
    """Whether a text has so many words; two letters of a script without spaces count as one.

    >>> has_words("Why is it blue?", 4), has_words("Why is it blue?", 5), has_words("天空为什么是蓝色", 4)
    (True, False, True)
    """
    if len(text.split(maxsplit=count)) >= count:
        return True
    return not text.isascii() and re.match(f"(?:[^{UNSPACED}]*[{UNSPACED}]){{{2 * count}}}", text) is not None


def kind(value: Any) -> str:
    """The JSON name of a value's type, for messages to people."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


CONTENT: Final = ("messages", "rejected", "tools", "label", "media", "cells", "tags", "extra")


def draft_of(row: Row) -> Draft:
    """The content of a row on its way out, with nothing in `extra`."""
    content = row["messages"], row["rejected"], row["tools"], row["label"]
    return Draft(*content, media=list(row["media"] or ()), cells=row["cells"])


def same_content(a: Row, b: Row) -> bool:
    """Equal in everything but lineage."""
    return all(a[key] == b[key] for key in CONTENT)
