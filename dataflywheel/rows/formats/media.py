"""Images, videos and sounds beside or inside the turns of a record, and the cells of a table's row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.schema import MediaType, Medium, Message

COLUMNS: dict[str, MediaType] = {
    "images": "image", "image": "image", "videos": "video", "video": "video", "audios": "audio", "audio": "audio",
}  # fmt: skip
"""The columns that hold media, the usual one of each type first."""


TYPES = tuple(dict.fromkeys(COLUMNS.values()))
AWAITED: dict[MediaType, Medium] = {
    "image": {"type": "image", "ref": ""}, "video": {"type": "video", "ref": ""}, "audio": {"type": "audio", "ref": ""},
}  # fmt: skip
"""Stands for a medium whose place is in a turn and whose reference is in a column."""


def mark(type: MediaType) -> str:
    """What stands in a text where a medium belongs."""
    return f"<{type}>"


def take_media(record: Record) -> list[Medium]:
    """Take the media columns of a record: addresses, paths, or objects that hold the bytes.

    Raises:
        ReadError: a column holds something else.
    """
    found: list[Medium] = []
    for column, type in COLUMNS.items():
        value = record.get(column)
        if value is None or value == []:
            continue
        held = value if isinstance(value, list) else [value]
        found += [medium(type, present(one), column) for one in held if one is not None]
        del record[column]
    return found


def with_media(turn: Record, content: Any, field: str, media: list[Medium] | None) -> Any:
    """What a turn says, with the media of its own (`images` of Ollama) before it, or at their marks where it has some.

    Raises:
        ReadError: there is no place for media, or the turn is made of parts already.
    """
    there = [
        column for column in COLUMNS if (held := turn.get(column)) and not (isinstance(held, dict) and "id" in held)
    ]
    if not there:
        return content
    if media is None or not isinstance(content, str | None):
        raise ReadError(f"{field}.{there[0]}", "media beside a turn that is made of parts; write them as parts")
    parts: list[Record] = []
    for column in there:
        type, value = COLUMNS[column], turn[column]
        held = [one for one in (value if isinstance(value, list) else [value]) if one is not None]
        if mark(type) in (content or ""):
            media += [medium(type, present(one), field) for one in held]
        else:
            parts += [{"type": type, type: present(one)} for one in held]
    return [*parts, {"type": "text", "text": content or ""}] if parts else content


def placed(inside: list[Medium], columns: list[Medium], turns: Iterable[Message]) -> list[Medium]:
    """The media of a row by type, each in the order of its marks: those inside its turns, filled up from its columns.

    Raises:
        ReadError: a place without its medium, or not as many marks as media.
    """
    waiting = list(columns)
    found: list[Medium] = []
    for one in inside:
        if not one["ref"]:
            one = next((held for held in waiting if held["type"] == one["type"]), one)
            if not one["ref"]:
                raise ReadError(f"{one['type']}s", f"a turn shows an {one['type']}, and no column holds it")
            waiting.remove(one)
        found.append(one)
    found += waiting
    for type in sorted({one["type"] for one in found}):
        held = sum(one["type"] == type for one in found)
        marks = sum(turn["content"].count(mark(type)) for turn in turns)
        if marks not in (0, held):
            raise ReadError(f"{type}s", f"{held} of them for {marks} marks {mark(type)} in the text")
    return sorted(found, key=lambda one: TYPES.index(one["type"]))


def medium(type: MediaType, value: Any, field: str) -> Medium:
    """One reference: text as it stands, an object as canonical JSON.

    Raises:
        ReadError: it is neither.
    """
    if isinstance(value, str) and value:
        return {"type": type, "ref": value}
    if isinstance(value, dict) and value:
        return {"type": type, "ref": orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}
    raise ReadError(field, f"expected the path or address of the {type}, got {kind(value) if value else 'nothing'}")


def reference(medium: Medium) -> str | Record:
    """A reference as a record holds it."""
    if medium["ref"].startswith("{"):
        try:
            return dict(orjson.loads(medium["ref"]))
        except orjson.JSONDecodeError:
            pass
    return medium["ref"]


def media_columns(media: list[Medium]) -> Record:
    """The media as columns `images`, `videos` and `audios`."""
    columns: Record = {}
    for one in media:
        columns.setdefault(f"{one['type']}s", []).append(reference(one))
    return columns


def take_cells(record: Record) -> str | None:
    """Take `cells`, the columns of a table's row: an object by column name, as canonical JSON."""
    cells = record.get("cells")
    if not isinstance(cells, dict):
        return None
    del record["cells"]
    return orjson.dumps(cells, option=orjson.OPT_SORT_KEYS).decode()
