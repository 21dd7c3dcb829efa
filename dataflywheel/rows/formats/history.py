"""Turns that were before a prompt and its answer, in a column beside them (LLaMA-Factory, ms-swift)."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import ReadError, kind
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.turns import read_turns
from dataflywheel.rows.schema import Message, message


def history_turns(value: Any, field: str) -> list[Message]:
    """The turns of a history: pairs of texts [prompt, answer], or turns; none where it is empty.

    Raises:
        ReadError: it is anything else.
    """
    if isinstance(value, str):
        value = in_text(value) if value.lstrip()[:1] == "[" else value.strip()
    if not value:
        return []
    if not isinstance(value, list):
        raise ReadError(field, f"expected pairs of texts [prompt, answer], got {kind(value)}")
    if all(isinstance(turn, dict) for turn in value):
        return read_turns(value, field)[0]
    turns: list[Message] = []
    for position, pair in enumerate(value):
        if not isinstance(pair, list) or [type(part) for part in pair] != [str, str]:
            raise ReadError(f"{field}[{position}]", "expected a pair of texts [prompt, answer]")
        turns += [message("user", pair[0]), message("assistant", pair[1])]
    return turns
