"""A row as plain text: its prompt, its answer, all of it. What text signals, embedders and duplicate checks read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
import pyarrow as pa

from dataflywheel.rows.schema import Message
from dataflywheel.rows.thoughts import split_thoughts

Part = Literal["all", "prompt", "answer"]


def split_answer(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """The turns before the final assistant turn, and that turn; without a final assistant turn there is no answer.

    Plain text (a single assistant turn without a prompt) is all answer.
    """
    if messages and messages[-1]["role"] == "assistant":
        return list(messages[:-1]), [messages[-1]]
    return list(messages), []


def text_of(messages: Sequence[Message]) -> str:
    """Thoughts, contents and tool calls (without their ids) joined by blank lines, without role names."""
    return "\n\n".join(spoken(m) for m in messages)


def transcript(messages: Sequence[Message]) -> str:
    """One message as it is, several with the role before each.

    >>> transcript([{"role": "user", "content": "Hi", "tool_calls": None, "name": None}])
    'Hi'
    """
    if len(messages) < 2:
        return text_of(messages)
    return "\n\n".join(f"{m['role']}: {text_of([m])}" for m in messages)


def spoken(turn: Message) -> str:
    """All that one turn says."""
    said = turn["content"] + (bare_calls(turn["tool_calls"]) if turn["tool_calls"] else "")
    return f"{turn['reasoning']}\n\n{said}" if turn["reasoning"] else said


def answer_said(messages: Sequence[Message]) -> str:
    """What the final answer says, without the thoughts before it, beside its text or within: a draft among them is no
    answer."""
    final = split_answer(messages)[1]
    return text_of([{**turn, "reasoning": None, "content": split_thoughts(turn["content"])[1]} for turn in final])


def bare_calls(calls: str) -> str:
    """Tool calls without their ids, which are chance."""
    if '"id":' not in calls:
        return calls
    found = [{key: value for key, value in call.items() if key != "id"} for call in orjson.loads(calls)]
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def part_of(messages: Sequence[Message], part: Part) -> str:
    """Text of the whole conversation, of what comes before the final answer, or of the final answer."""
    if part == "all":
        return text_of(messages)
    prompt, answer = split_answer(messages)
    return text_of(prompt if part == "prompt" else answer)


BESIDE = ["rejected", "tools", "cells"]


def beside(row: Mapping[str, Any]) -> str:
    """What a row holds beside its messages that goes on with it: the worse answer, tool specifications, cells."""
    rest = (text_of(row["rejected"]) if row["rejected"] else "", row["tools"], row["cells"])
    return "\n\n".join(text for text in rest if text)


def speakers(row: Mapping[str, Any]) -> str:
    """The names of those who speak in a row, as far as turns have them; a tool's is no person's."""
    turns = [*(row["messages"] or ()), *(row["rejected"] or ())]
    return "\n\n".join(dict.fromkeys(turn["name"] for turn in turns if turn["name"] and turn["role"] != "tool"))


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The other fields of a row's input; none where they are no record."""
    held = orjson.loads(row["extra"] or "{}")
    return held if isinstance(held, dict) else {}


def texts(messages: pa.Array | pa.ChunkedArray, part: Part = "all") -> list[str]:
    """`part_of` for a column of messages."""
    rows: list[list[Any]] = messages.to_pylist()
    return [part_of(row or [], part) for row in rows]


def texts_of_both(rows: pa.Table | pa.RecordBatch) -> list[str]:
    """Whole texts of rows with `messages` and `rejected`, behind which the worse answers of pairs stand."""
    found, worse = texts(rows["messages"]), rows["rejected"]
    if worse.null_count == len(worse):
        return found
    return [
        f"{text}\n\n{text_of(other)}" if other else text for text, other in zip(found, worse.to_pylist(), strict=True)
    ]
