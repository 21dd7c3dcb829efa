"""A question and the calls that answer it, as JSON or as text beside it (xLAM and its kin)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.names import ANSWERS, CHOSEN, PROMPTS, by_name, first
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.tool_calls import canonical_calls, is_call
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import message

CALLS = ("answers", "tool_calls", "function_calls", "function_call", "calls")
"""Names of a column of calls; `answers` holds them only beside tools."""


class ToolAnswers(Whole):
    """One user turn, and one of the assistant that calls tools."""

    name = "tool_answers"

    def matches(self, keys: frozenset[str]) -> bool:
        names = by_name(keys)
        calls = first(names, CALLS)
        if calls is None or first(names, PROMPTS) is None or not names.keys().isdisjoint((*ANSWERS, *CHOSEN)):
            return False
        return calls != "answers" or "tools" in names

    def accepts(self, record: Mapping[str, Any]) -> bool:
        names = by_name(frozenset(record))
        asked, calls = first(names, PROMPTS), first(names, CALLS)
        return bool(asked and calls and isinstance(record[asked], str) and calls_of(record[calls]))

    def content(self, record: Record) -> tuple[Draft, tuple[str, str]]:
        names = by_name(frozenset(record))
        asked, key = first(names, PROMPTS), first(names, CALLS)
        calls = calls_of(record[key]) if key else None
        if asked is None or key is None or not calls:
            raise ReadError(key or "answers", "expected a question, and a list of calls {name, arguments}")
        said = message("assistant", "", canonical_calls(calls, key))
        return Draft([message("user", str(record[asked])), said]), (asked, key)


def calls_of(value: Any) -> list[Record] | None:
    """The calls of an answer, which may be written as text, and one without a list."""
    calls = in_text(value) if isinstance(value, str) else value
    calls = [calls] if isinstance(calls, dict) else calls
    return calls if isinstance(calls, list) and calls and all(map(is_call, calls)) else None
