"""Turns that stand where a record is expected: a file with a record a turn, or a list that is a conversation."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.turns import ROLES

TURN = frozenset((
    "role", "content", "from", "value", "name", "tool_calls", "tool_call_id", "function_call", "reasoning_content",
    "reasoning", "thinking", "weight", "train", "loss", "images", "channel", "recipient", "refusal", "annotations",
))  # fmt: skip
"""What a turn has, and a record of a row has not."""
TOGETHER = "a record is a whole conversation: {messages: [{role, content}, ...]}, in the order of its turns"
"""The way out for a file that has a record a turn."""


def is_conversation(value: Any) -> bool:
    """Whether a list is the turns of one conversation and nothing else, and not records that have roles."""
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
        return False
    return all(
        turn.keys() <= TURN and ROLES.get(str(turn.get("role", turn.get("from"))).lower()) is not None for turn in value
    )
