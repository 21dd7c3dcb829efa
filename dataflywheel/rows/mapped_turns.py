"""Turns whose fields and roles have other names, and what stands beside them and belongs into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.beside_chat import marked
from dataflywheel.rows.formats.draft import ReadError, Record
from dataflywheel.rows.formats.paths import MISSING, value_at, without
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.turns import CONTENT_KEYS, ROLE_KEYS


def retold(value: Any, roles: Mapping[str, str], names: Mapping[str, str]) -> Any:
    """A list of turns with their fields and roles under our names; anything else as it stands."""
    if isinstance(value, str) and value.lstrip()[:2] == "[{":
        value = in_text(value)
    if isinstance(value, dict):
        return retold([value], roles, names)[0]
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
        return value
    return [retold_turn(turn, roles, names) for turn in value]


def retold_turn(turn: Record, roles: Mapping[str, str], names: Mapping[str, str]) -> Record:
    held = {field: value_at(turn, name.removesuffix("?")) for field, name in names.items()}
    if held.get("role", "") is not MISSING and held.get("content", "") is not MISSING:
        for name in names.values():
            turn = without(turn, name.removesuffix("?"))
        turn = {**turn, **{field: value for field, value in held.items() if value is not MISSING}}
    for key in ROLE_KEYS:
        if isinstance(turn.get(key), str) and turn[key] in roles and not turn.keys().isdisjoint(CONTENT_KEYS):
            return {**turn, key: roles[turn[key]]}
    return turn


def beside_turns(record: Record, names: Mapping[str, str]) -> Record:
    """The record with thoughts and marks, of which it was said that they stand beside the chat, in its turns.

    Raises:
        ReadError: neither the turns nor the record have them, or there is no answer to give them to.
    """
    chat = in_text(record["messages"]) if isinstance(record["messages"], str) else record["messages"]
    turns = [turn for turn in chat if isinstance(turn, dict)] if isinstance(chat, list) else []
    for field in ("reasoning", "weight"):
        name = names.get(field, "")
        key = name.removesuffix("?")
        if not name or any(field in turn for turn in turns):
            continue
        value = value_at(record, key)
        if value is MISSING:
            if name.endswith("?"):
                continue
            raise ReadError(key, f"no such column for {field}, beside the turns or in them ({key}? where it may lack)")
        record = without(record, key)
        if value is None or not turns or len(turns) != len(chat):
            continue
        if field == "weight" and isinstance(value, list):
            turns = marked(turns, {"weights": value})
        else:
            turns = [*turns[:-1], {**turns[-1], field: value}]
        record = {**record, "messages": turns}
    return record
