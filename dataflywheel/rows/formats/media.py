"""Images, videos and sounds beside or inside the turns of a record, and the cells of a table's row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.formats.names import folded
from dataflywheel.rows.schema import MediaType, Medium, Message

COLUMNS: dict[str, MediaType] = {
    "images": "image", "image": "image", "videos": "video", "video": "video", "audios": "audio", "audio": "audio",
}  # fmt: skip
"""The columns that hold media, the usual one of each type first."""
PLACES = (
    "path", "paths", "file", "files", "filename", "filepath", "file_name", "file_names", "file_path", "name", "names",
    "src", "list", "url", "urls", "base64",
    "bytes", "data",
)  # fmt: skip
NAMES: dict[str, MediaType] = {
    **COLUMNS, "img": "image", "imgs": "image", "picture": "image", "pictures": "image", "screenshot": "image",
    "screenshots": "image", "photo": "image", "photos": "image", "clip": "video", "sound": "audio", "sounds": "audio",
}  # fmt: skip
WHICH = re.compile(rf"({'|'.join(NAMES)})(?:_({'|'.join(PLACES)}|\d+))?|base64_(image)")
"""Names of columns that hold media or say where they lie; numbered ones are in order (MMMU)."""
ENDINGS = "jpe?g|png|webp|gif|bmp|tiff?|svg|mp4|avi|mov|mkv|webm|wav|mp3|flac|ogg|m4a"
ADDRESS = re.compile(
    rf"(?:data:|https?:|file:|s3:|gs:|hf:)\S+|\S*[./\\]\S*|[^\n]{{1,1000}}\.(?:{ENDINGS})", re.IGNORECASE
)
FILE = "file_name"
"""The column of the hub's folders of images, sounds and videos: its ending tells what is described beside it."""
OF_FILES: dict[MediaType, tuple[str, ...]] = {
    "image": (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    "video": (".mp4", ".avi", ".mov", ".mkv", ".webm"),
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".m4a"),
}
BASE64 = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}\s*")
RAW = ("base64", "bytes", "data")
OF_REJECTED = tuple(f"rejected_{name}" for name in ("images", "videos", "audios", "tools", "objects"))
"""What ms-swift gives to the worse answer alone; a row has one of each for both."""


TYPES = tuple(dict.fromkeys(COLUMNS.values()))
AWAITED: dict[MediaType, Medium] = {
    "image": {"type": "image", "ref": ""}, "video": {"type": "video", "ref": ""}, "audio": {"type": "audio", "ref": ""},
}  # fmt: skip
"""Stands for a medium whose place is in a turn and whose reference is in a column."""


def mark(type: MediaType) -> str:
    """What stands in a text where a medium belongs."""
    return f"<{type}>"


@lru_cache(maxsize=4096)
def media_keys(keys: frozenset[str]) -> tuple[tuple[str, MediaType], ...]:
    """The keys of a record that hold media by their names; of several that would hold the same ones, the surest."""
    found: dict[MediaType, list[tuple[int, str, bool]]] = {}
    for key in sorted(keys):
        match = WHICH.fullmatch(folded(key))
        if match is None:
            continue
        name, place = match[1] or match[3], match[2] or ("base64" if match[3] else "")
        sure = list(COLUMNS).index(key) if key in COLUMNS else len(COLUMNS) + (not place.isdigit())
        sure += 1 + PLACES.index(place) if place in PLACES else 0
        found.setdefault(NAMES[name], []).append((sure, key, place.isdigit()))
    return tuple((key, type) for type in TYPES for key in _surest(found.get(type, [])))


def _surest(held: list[tuple[int, str, bool]]) -> list[str]:
    """All that are in COLUMNS, else all that are numbered, else the first."""
    exact = [key for _, key, _ in sorted(held) if key in COLUMNS]
    numbered = sorted((key for _, key, number in held if number), key=lambda key: int(re.sub(r"\D", "", key)))
    return exact or numbered or [key for _, key, _ in sorted(held)][:1]


def take_media(record: Record) -> list[Medium]:
    """Take the media columns of a record: addresses, paths, or objects that hold the bytes.

    Raises:
        ReadError: a column holds something else, or the worse answer is to see other media than the better one.
    """
    found: list[Medium] = []
    for key in OF_REJECTED:
        if record.get(key) and record[key] != record.get(key.removeprefix("rejected_")):
            raise ReadError(
                key, "given for the worse answer alone, and a row has the same for both; write the two answers as rows "
                "of their own with a label, or leave this column out"
            )  # fmt: skip
    for column, type in media_keys(frozenset(record)):
        value = record.get(column)
        if value is None or value == [] or (column not in COLUMNS and not addressed(value, column)):
            continue
        held = value if isinstance(value, list) else [value]
        if in_bytes(column):
            held = [raw(one) for one in held]
        found += [medium(type, present(one), column) for one in held if one is not None]
        del record[column]
    name = record.get(FILE)
    if not found and isinstance(name, str):
        found = [medium(type, name, FILE) for type, endings in OF_FILES.items() if name.lower().endswith(endings)]
        if found:
            del record[FILE]
    return found


def addressed(value: Any, column: str) -> bool:
    """Whether a value may be the path or the address of a medium, or its bytes in a column that says so."""
    if isinstance(value, list):
        return bool(value) and all(one is None or addressed(one, column) for one in value)
    if isinstance(value, dict):
        return bool(value)
    found = ADDRESS.fullmatch(value) if isinstance(value, str) else None
    return found is not None or (in_bytes(column) and raw(value) is not value)


def in_bytes(column: str) -> bool:
    """Whether a column's name says that it holds bytes."""
    return folded(column).rpartition("_")[2] in RAW or folded(column) == "base64_image"


def raw(value: Any) -> Any:
    """Bytes in a text as an object that says so; an address as it stands."""
    return {"base64": value} if isinstance(value, str) and BASE64.fullmatch(value) else value


def held_by(turn: Mapping[str, Any]) -> list[str]:
    """The fields of a turn that hold media; what only names an answer's own sound (`{id}`) is none."""
    keys = (key for key, _ in media_keys(frozenset(turn)))
    return [
        key for key in keys
        if (held := turn[key]) and not (isinstance(held, dict) and "id" in held)
        and (key in COLUMNS or addressed(held, key))
    ]  # fmt: skip


def with_media(turn: Record, content: Any, field: str, media: list[Medium] | None) -> Any:
    """What a turn says, with the media of its own (`images` of Ollama) before it, or at their marks where it has some.

    Raises:
        ReadError: there is no place for media, or the turn is made of parts already.
    """
    there = held_by(turn)
    if not there:
        return content
    if media is None or not isinstance(content, str | None):
        raise ReadError(f"{field}.{there[0]}", "media beside a turn that is made of parts; write them as parts")
    parts: list[Record] = []
    for column in there:
        type, value = dict(media_keys(frozenset(turn)))[column], turn[column]
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
    for type in sorted(frozenset(TYPES) - {one["type"] for one in found}):
        if found and any(mark(type) in turn["content"] for turn in turns):
            raise ReadError(f"{type}s", f"none for the marks {mark(type)} in the text, beside other media")
    return sorted(found, key=lambda one: TYPES.index(one["type"]))


def no_boxes(extra: Record, turns: Iterable[Message]) -> None:
    """Check that no mark in the turns stands for what only a column `objects` says (ms-swift's grounding).

    Raises:
        ReadError: one does.
    """
    if extra.get("objects") and any("<bbox>" in turn["content"] or "<ref-object>" in turn["content"] for turn in turns):
        raise ReadError(
            "objects", "<bbox> and <ref-object> in the text stand for what is said here; write it into the text"
        )  # fmt: skip


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
