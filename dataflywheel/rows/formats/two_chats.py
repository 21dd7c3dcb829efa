"""One conversation that a record holds twice, under two names; and two that it holds, of which one would be lost."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.names import folded, quoted
from dataflywheel.rows.formats.turns import read_turns
from dataflywheel.rows.schema import Message

SAME_CHAT = frozenset({"messages", "conversations", "conversation"})
"""Names under which one conversation may be written twice."""


def one_chat(draft: Draft, record: Record, chat: str) -> None:
    """Check that another list of turns beside the chat says the same: which of two is to be learned, nobody knows.

    Raises:
        ReadError: it says something else.
    """
    for key, value in record.items():
        if key == chat or folded(key) not in SAME_CHAT or not isinstance(value, list) or not value:
            continue
        try:
            turns, _ = read_turns(value, key, [])
        except ReadError:
            continue
        if [_said(turn) for turn in turns] != [_said(turn) for turn in draft.messages]:
            raise ReadError(
                key, f"another conversation than {chat}; say which is meant: columns: {{messages: {quoted(key)}}} "
                f"or columns: {{messages: {quoted(chat)}}}",
            )  # fmt: skip


def _said(turn: Message) -> tuple[str, str, str | None]:
    return turn["role"], turn["content"], turn["tool_calls"]
