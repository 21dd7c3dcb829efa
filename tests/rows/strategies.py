"""Rows of every kind, for laws."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import strategies as st

from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message

texts = st.text(max_size=12) | st.sampled_from(
    ["", " ", "a\nb", '"', "[1]", "{}", '{"a": 1}', "\r", "\x00", "true", "é,;\t"]
)
names = st.sampled_from(
    ["category", "input", "system", "history", "label", "tags", "prompt", "source", "flywheel", "tools", "instance",
     "tree", "instances", "messages", "text", "chosen", "id", "extra", "rejected", "response", "question", "answer",
     "system_prompt", "kto_tag", "images", "cells", "conversation", "context", "reasoning", "functions", "learn"]
) | st.text(min_size=1, max_size=4)  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=5
)
extras = st.dictionaries(names, values, max_size=3)
calls = st.builds(
    lambda name, arguments: orjson.dumps(
        [{"type": "function", "function": {"name": name, "arguments": arguments}}], option=orjson.OPT_SORT_KEYS
    ).decode(),
    texts,
    st.dictionaries(names, leaves, max_size=2),
)
specs = st.builds(
    lambda name: orjson.dumps([{"function": {"name": name}, "type": "function"}], option=orjson.OPT_SORT_KEYS).decode(),
    texts,
)


@st.composite
def turns(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(["system", "user", "assistant", "tool"]))
    name, content = draw(st.none() | texts), draw(texts)
    if role == "assistant":
        beside = {"reasoning": draw(st.none() | texts.filter(bool)), "learn": draw(st.sampled_from([None, False]))}
        return message(role, content, draw(st.none() | calls), name, **beside)  # type: ignore[arg-type]
    return message(role, content, None, name, tool_call_id=draw(st.none() | texts) if role == "tool" else None)


media = st.lists(
    st.builds(
        lambda type, ref: {"type": type, "ref": ref},
        st.sampled_from(["image", "video", "audio"]),
        st.sampled_from(["a.png", "http://x/y", '{"bytes":"AA==","path":"a.png"}', "{", "text"]),
    ),
    max_size=2,
).map(lambda held: sorted(held, key=lambda one: ["image", "video", "audio"].index(one["type"])))
cells = st.none() | st.dictionaries(names, leaves, max_size=2).map(
    lambda held: orjson.dumps(held, option=orjson.OPT_SORT_KEYS).decode()
)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "label": draw(st.none() | st.sampled_from(["true", "false", "7", "sport", "1", "0", "True", "rejected", ""])),
        "source": draw(st.sampled_from(["", "mine"])),
        "tags": draw(st.lists(texts, max_size=2)),
        "extra": draw(extras),
        "parents": draw(st.lists(st.just("0" * 32), max_size=1)),
        "made_by": draw(st.sampled_from(["", "evol"])),
        "round": draw(st.integers(0, 2)),
    }


def told(messages: list[Message]) -> bool:
    return any(m["content"] or m["tool_calls"] for m in messages)


@st.composite
def any_rows(draw: st.DrawFn) -> Row:
    """Any row at all: any turns, tool calls, names, preference or not."""
    messages = draw(st.lists(turns(), min_size=1, max_size=4).filter(told))
    rejected = draw(st.none() | st.lists(turns(), min_size=1, max_size=2))
    held: dict[str, Any] = {"tools": draw(st.none() | specs), "media": draw(media), "cells": draw(cells)}
    row = make_row(messages, rejected=rejected, **held, **draw(facts()))
    row["copies"] = draw(st.integers(1, 3))
    return row


@st.composite
def chats(draw: st.DrawFn, turns: int = 1, system: bool = False, pair: bool = False) -> Row:
    """Plain chats of so many user and assistant turns."""
    messages = [message("system", draw(texts.filter(bool)))] if system and draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, turns))):
        messages += [message("user", draw(texts)), message("assistant", draw(texts))]
    messages[-1]["content"] = messages[-1]["content"] or "yes"
    return make_row(messages, rejected=[message("assistant", draw(texts))] if pair else None, **draw(facts()))
