"""Identity by content: equal messages, rejected answer, tools, label, media and cells give an equal id."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from dataflywheel.rows.schema import Medium, Message, Row, message

DIGEST_BYTES = 16


def row_id(
    messages: Iterable[Message],
    rejected: Iterable[Message] | None,
    tools: str | None,
    label: str | None,
    media: Sequence[Medium] | None = None,
    cells: str | None = None,
) -> str:
    """32 hex digits of BLAKE2b over the NFC-normalised content; the text itself is stored unnormalised.

    Fields that a row does not use do not enter, so that rows keep their identity when the schema grows.

    >>> a = row_id([message("user", "caf\\u00e9")], None, None, None)
    >>> a == row_id([message("user", "cafe\\u0301")], None, None, None), len(a)
    (True, 32)
    """
    content: tuple[object, ...] = (
        [_content(m) for m in messages],
        None if rejected is None else [_content(m) for m in rejected],
        tools,
        label,
    )
    if media or cells is not None:
        content = (*content, [(m["type"], m["ref"]) for m in media or ()], cells)
    text = orjson.dumps(content)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.decode()).encode()
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest()


def _content(turn: Message) -> tuple[str | bool | None, ...]:
    later = turn["reasoning"], turn["tool_call_id"], turn["learn"]
    first = turn["role"], turn["content"], turn["tool_calls"], turn["name"]
    return first if later == (None, None, None) else first + later


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
    media: list[Medium] | None = None,
    cells: str | None = None,
    weight: float | None = None,
) -> Row:
    """A row with its id; `extra` is stored as canonical JSON."""
    return {
        "id": row_id(messages, rejected, tools, label, media, cells),
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
        "media": media or None,
        "cells": cells,
        "weight": weight,
    }


def prompt_answer_row(prompt: str, answer: str, **facts: Any) -> Row:
    """A one-turn row."""
    return make_row([message("user", prompt), message("assistant", answer)], **facts)


def hex_ids(digests: bytes) -> pa.Array:
    """Digests one behind the other as a column of their hexadecimal digits."""
    n = len(digests) // DIGEST_BYTES
    offsets = np.arange(0, 2 * len(digests) + 1, 2 * DIGEST_BYTES, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digests.hex().encode()))
