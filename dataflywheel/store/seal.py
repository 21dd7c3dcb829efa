"""The record of a step with the size and digest of every file beside it, so that damage is seen and never used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xxhash

from dataflywheel.store.atomic import finite, write_json

RECORD = "metrics.json"
FILES, SELF = "files", "digest"
"""Keys of the record: the other files' sizes and digests, and a digest of the record itself."""


class DamagedError(Exception):
    """Files that are not as they were written, by name."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def write_sealed(directory: Path, record: dict[str, Any]) -> None:
    """Write a step's record, when all its other files are there."""
    sealed = {**record, FILES: {name: _mark(directory / name) for name in _names(directory)}}
    write_json(directory / RECORD, {**sealed, SELF: _of(sealed)})


def read_sealed(directory: Path) -> dict[str, Any]:
    """A step's record; what an earlier version wrote without a seal is taken as it is.

    Raises:
        DamagedError: the record cannot be read or was changed, or a file beside it was changed, cut or removed.
    """
    try:
        held = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise DamagedError([RECORD]) from None
    if not isinstance(held, dict):
        raise DamagedError([RECORD])
    said = held.pop(SELF, None)
    if said is None:
        return held
    if said != _of(held):
        raise DamagedError([RECORD])
    files: dict[str, list[Any]] = held.pop(FILES)
    wrong = [name for name, mark in files.items() if _mark(directory / name) != mark]
    wrong += [name for name in _names(directory) if name not in files and name.endswith(".parquet")]
    if wrong:
        raise DamagedError(wrong)
    return held


def is_whole(directory: Path) -> bool:
    """Whether a step's record and all its files are as they were written."""
    try:
        read_sealed(directory)
    except DamagedError:
        return False
    return True


def _names(directory: Path) -> list[str]:
    found = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return sorted(name for name in found if name != RECORD and not name.rpartition("/")[2].startswith("."))


def _mark(path: Path) -> list[Any]:
    """Size and digest of a file; nothing where it cannot be read."""
    whole = xxhash.xxh3_128()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                whole.update(block)
            return [file.tell(), whole.hexdigest()]
    except OSError:
        return []


def _of(record: dict[str, Any]) -> str:
    text = json.dumps(finite(record), sort_keys=True, ensure_ascii=False)
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))
