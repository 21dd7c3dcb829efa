"""Identity by content: equal messages, rejected answer, tools and label give an equal id."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from dataflywheel.rows.schema import Message, Row, message


def row_id(
    messages: Iterable[Message], rejected: Iterable[Message] | None, tools: str | None, label: str | None
) -> str:
    """32 hex digits of BLAKE2b over the NFC-normalised content; the text itself is stored unnormalised.

    >>> a = row_id([message("user", "caf\\u00e9")], None, None, None)
    >>> a == row_id([message("user", "cafe\\u0301")], None, None, None), len(a)
    (True, 32)
    """
    content = (
        [(m["role"], m["content"], m["tool_calls"], m["name"]) for m in messages],
        None if rejected is None else [(m["role"], m["content"], m["tool_calls"], m["name"]) for m in rejected],
        tools,
        label,
    )
    text = orjson.dumps(content)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.decode()).encode()
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def make_row(
    messages: list[Message],
    *,
    rejected: list[Message] | None = None,
    tools: str | None = None,
    label: str | None = None,
    source: str = "",
    tags: Iterable[str] = (),
    extra: Mapping[str, Any] | None = None,
    parents: Iterable[str] = (),
    made_by: str = "",
    round: int = 0,
) -> Row:
    """A row with its id; `extra` is stored as canonical JSON."""
    return {
        "id": row_id(messages, rejected, tools, label),
        "messages": messages,
        "rejected": rejected,
        "tools": tools,
        "label": label,
        "source": source,
        "tags": list(tags),
        "copies": 1,
        "extra": orjson.dumps(extra or {}, option=orjson.OPT_SORT_KEYS).decode(),
        "parents": list(parents),
        "made_by": made_by,
        "round": round,
    }


def prompt_answer_row(prompt: str, answer: str, **facts: Any) -> Row:
    """A one-turn row."""
    return make_row([message("user", prompt), message("assistant", answer)], **facts)
