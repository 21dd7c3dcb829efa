"""The record of a step with the size and digest of every file beside it, so that damage is seen and never used."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import xxhash

from dataflywheel.store.atomic import finite, remove, set_aside, write_json

RECORD = "metrics.json"
READ_WHOLE = 1 << 24
"""Bytes of a file in a folder of models up to which its content is looked at, and not its size alone."""
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


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a JSON object with a digest of itself in it."""
    write_json(path, {**record, SELF: _of(record)})


def read_record(path: Path) -> dict[str, Any] | None:
    """A JSON object that was so written, without its digest; None where there is none.

    One that is not as it was written is set aside with a warning, and is not there. One without a digest but with the
    fingerprint of what it follows from, of an earlier version, is taken as it is.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        said = held.pop(SELF, None) if isinstance(held, dict) else ""
        if said == _of(held) or (said is None and "fingerprint" in held):
            return dict(held)
    except FileNotFoundError:
        return None
    except (ValueError, OSError):
        pass
    set_aside(path, "not as it was written", "made anew")
    return None


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
    if said is None and "fingerprint" in held:
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
    """Whether a step's record and all its files are there, as they were written; of damaged ones a warning tells."""
    if not directory.exists():
        return False
    try:
        read_sealed(directory)
    except DamagedError as damage:
        warnings.warn(f"{directory}: {damage} is not as it was written; made anew", stacklevel=2)
        return False
    return True


def seal_folder(folder: Path) -> None:
    """Note beside a folder, in a file of its own, what is in it: a model's identity is that of its files, and a seal
    among them would be one."""
    write_json(_note(folder), {name: _told(folder / name) for name in _names(folder)})


def forget_folder(folder: Path) -> None:
    """Remove a folder that may have been sealed, and its seal."""
    remove(folder)
    remove(_note(folder))


def is_there(folder: Path) -> bool:
    """Whether a folder is there as it was sealed; one without a seal is taken as it is.

    A damaged one is set aside under a name of its own, with a warning, so that it is made anew: nobody else may be at
    work on it.
    """
    note = _note(folder)
    if not folder.is_dir():
        remove(note)
        return False
    wrong = changed(folder)
    if not wrong:
        return True
    remove(note)
    set_aside(folder, f"{wrong} is not as it was written", "made anew")
    return False


def changed(folder: Path) -> str:
    """The first file of a folder that is not as it was sealed, or the seal itself; "" where all are, or nothing was
    sealed."""
    note = _note(folder)
    try:
        held = json.loads(note.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (ValueError, OSError):
        return note.name
    if not isinstance(held, dict):
        return note.name
    return next((name for name, told in held.items() if _told(folder / name) != told), "")


def _told(path: Path) -> list[Any]:
    """Size and digest of a file, of a large one the size alone: models are looked at in every run."""
    try:
        size = path.stat().st_size
    except OSError:
        return []
    return _mark(path) if size <= READ_WHOLE else [size]


def _note(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.seal"


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
