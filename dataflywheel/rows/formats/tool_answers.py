"""`query`, `tools`, `answers`: a question and the calls that answer it, as JSON (xLAM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.tool_calls import canonical_calls
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import message


class ToolAnswers(Whole):
    """One user turn, and one of the assistant that calls tools."""

    name = "tool_answers"

    def matches(self, keys: frozenset[str]) -> bool:
        return {"query", "answers", "tools"} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record["query"], str) and calls_of(record["answers"]) is not None

    def content(self, record: Record) -> tuple[Draft, tuple[str, str]]:
        calls = calls_of(record["answers"])
        if not calls:
            raise ReadError("answers", "expected a list of calls {name, arguments}")
        asked = message("user", str(record["query"]))
        return Draft([asked, message("assistant", "", canonical_calls(calls, "answers"))]), ("query", "answers")


def calls_of(value: Any) -> list[Record] | None:
    """The calls of an answer, which may be written as text."""
    calls = in_text(value) if isinstance(value, str) else value
    named = isinstance(calls, list) and all(isinstance(call, dict) and "name" in call for call in calls)
    return calls if named and calls else None
