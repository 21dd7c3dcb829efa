"""The texts of a row in which names are looked for, each by itself, with its place in the row's whole text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.rows.schema import Message
from dataflywheel.rows.text import Part, bare_calls, split_answer, text_of


@dataclass(frozen=True, slots=True)
class Placed:
    """A text, and the characters [start, end) of the row's text that hold it; in JSON they may be spelled otherwise."""

    text: str
    start: int
    end: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters of the text stand in the row's; all of it where they are spelled otherwise there."""
        exact = self.end - self.start == len(self.text)
        return (self.start + start, self.start + end) if exact else (self.start, self.end)


def placed(row: Mapping[str, Any], part: Part = "all") -> list[Placed]:
    """What the turns of a row say and think, arguments of their calls, and for `all` also the worse answer and cells.

    Names and specifications of tools are code. Places are those in the text that the signal `personal_data` reads.
    """
    messages = row["messages"] or []
    if part != "all":
        prompt, answer = split_answer(messages)
        return list(_turns(prompt if part == "prompt" else answer, 0))
    found = list(_turns(messages, 0))
    at = len(text_of(messages)) + 2
    if row["rejected"]:
        found += _turns(row["rejected"], at)
        at += len(text_of(row["rejected"])) + 2
    at += len(row["tools"]) + 2 if row["tools"] else 0
    if row["cells"]:
        found += _leaves(orjson.loads(row["cells"]), row["cells"], at)
    return found


def leaves(value: Any) -> Iterator[str]:
    """The texts within a JSON value, keys apart, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def _turns(turns: Sequence[Message], at: int) -> Iterator[Placed]:
    for turn in turns:
        for text in (turn["reasoning"], turn["content"]):
            if text:
                yield Placed(text, at, at + len(text))
                at += len(text)
                at += 2 if text is turn["reasoning"] else 0
        if turn["tool_calls"]:
            calls = bare_calls(turn["tool_calls"])
            yield from _leaves([call.get("arguments") for call in orjson.loads(calls)], calls, at)
            at += len(calls)
        at += 2


def _leaves(value: Any, written: str, at: int) -> Iterator[Placed]:
    """The texts within a JSON value that is `written` from `at` on."""
    done = 0
    for text in leaves(value):
        spelled = orjson.dumps(text).decode()[1:-1]
        start = written.find(f'"{spelled}"', done) + 1
        if start:
            done = start + len(spelled)
            yield Placed(text, at + start, at + done)
        else:  # spelled by another writer of JSON
            yield Placed(text, at, at + len(written))
