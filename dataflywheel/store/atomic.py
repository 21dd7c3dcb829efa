"""Files and directories that appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.owner import gone, mark_of


def make_folder(path: Path) -> Path:
    """The folder, made where it is not there.

    Raises:
        FlywheelError: a file or a broken link stands in its place, or in that of a folder above it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        known = next(p for p in reversed([path, *path.parents]) if os.path.lexists(p) and not p.is_dir())
        raise FlywheelError(f"{known}: no folder, and one belongs there; move it away, or give another place") from None
    return path


def set_aside(path: Path, why: str, then: str) -> None:
    """Move what cannot be used to a name of its own beside it; a warning names it, why, and what comes next."""
    aside = path.with_name(f"{path.name}.damaged")
    remove(aside)
    try:
        path.rename(aside)
    except FileNotFoundError:
        return  # another process was first
    warnings.warn(f"{path}: {why}; set aside as {aside.name}, and {then}", stacklevel=3)


def remove(path: Path) -> None:
    """A file, a link or a folder with all that is in it, where it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    make_folder(path.parent)
    return path.parent / f".{path.name}.{_mark(os.getpid())}.{uuid.uuid4().hex[:8]}.partial"


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a fresh directory that becomes `path` on success, replacing what was there, and vanishes on an error."""
    aside = _aside(path)
    aside.mkdir()
    try:
        yield aside
        if path.exists():
            old = _aside(path)
            os.replace(path, old)
            os.replace(aside, path)
            remove(old)
        else:
            os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a file path to write to; it becomes `path` on success, and vanishes on an error."""
    aside = _aside(path)
    try:
        yield aside
        if path.is_dir():
            set_aside(path, "a folder, where a file belongs", "written anew")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """NaN and infinity, which JSON does not have, become null."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """The value as it is read back from JSON: NaN and infinity as None."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sweep(directory: Path, older_than: float = 0.0, of: str = "*") -> None:
    """Remove what a killed process left half-written directly under `directory`, of any name or of one.

    With `older_than`, what another process may be writing stays: whose writer lives, or who that is is not known and
    it is not so many seconds old.
    """
    for partial in directory.glob(f".{of}.*.partial") if directory.is_dir() else ():
        if not older_than or _left(partial, older_than):
            remove(partial)


def _left(partial: Path, older_than: float) -> bool:
    """Nobody is writing it any more, as far as one can tell."""
    if gone(partial.name.split(".")[-3]):
        return True
    try:
        return time.time() - partial.stat().st_mtime >= older_than
    except FileNotFoundError:
        return False  # it was being written, and is whole


_mark = lru_cache(maxsize=1)(mark_of)
