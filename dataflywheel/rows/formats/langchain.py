"""Turns as LangChain writes them: the role as `type`, what is said beside it, under `data`, or under `kwargs`."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import Record

SPEAKERS = {"human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "system": "system"}
SPEAKERS |= {"tool": "tool", "function": "tool", "developer": "system"}
WHO = ("role", "from", "speaker", "sender", "author")
CLASS = "Message"


def opened(turn: Record) -> Record:
    """A turn with its role and what it says on one level, where LangChain wrote it; any other as it stands.

    >>> opened({"type": "human", "data": {"content": "Why?"}})
    {'content': 'Why?', 'role': 'user'}
    """
    if any(turn.get(key) is not None for key in WHO):
        return turn
    said, held = turn.get("type"), turn
    if said == "constructor" and isinstance(turn.get("kwargs"), dict) and isinstance(turn.get("id"), list):
        held, said = turn["kwargs"], str(turn["id"][-1:]).strip("[]'").removesuffix("Chunk").removesuffix(CLASS)
    elif isinstance(turn.get("data"), dict):
        held = turn["data"]
    role = SPEAKERS.get(said.lower()) if isinstance(said, str) else None
    return turn if role is None else {**held, "role": role}
