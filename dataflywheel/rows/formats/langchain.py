"""Turns as LangChain writes them: the role as `type`, what is said beside it, under `data`, or under `kwargs`."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import Record

SPEAKERS = {"human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "system": "system"}
SPEAKERS |= {"tool": "tool", "function": "tool", "developer": "system"}
WHO = ("role", "from", "speaker", "sender", "author")
CLASS = "Message"
BESIDE = ("reasoning_content", "reasoning", "thinking", "tool_calls", "function_call", "refusal")
"""What an integration may leave in `additional_kwargs`, as the endpoint gave it."""


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
    if role is None:
        return turn
    more = held.get("additional_kwargs")
    beside = {key: more[key] for key in BESIDE if more.get(key)} if isinstance(more, dict) else {}
    return {**beside, **{key: value for key, value in held.items() if value or key not in beside}, "role": role}
