"""What the store holds, how large it is, and what may be taken away since it can be made again."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dataflywheel.errors import FlywheelError, UsageError
from dataflywheel.store.answer_ledger import PICO
from dataflywheel.store.atomic import remove
from dataflywheel.store.lock import is_held

ANSWERS = "answers"
AGAIN = {
    "checkpoints": "states of trainings that were ended; the training begins anew",
    "models": "models that were trained here; they are trained again when a recipe asks for them",
    "signals": "what was measured of rows; it is measured again when a step asks for it",
    "trials": "scores of a comparison's trainings and of untrained students; they are trained and scored again",
    "rows": "rows that Python handed over, and pools cleaned for helpers; they are written again",
    ANSWERS: "replies of models; the same questions are asked, and paid, again",
}
"""What is kept, and what taking it away costs."""
_FOLDERS = {
    "models": "models",
    "signals": "signals",
    "trials": "trials",
    "untrained": "trials",
    "given": "rows",
    "clean": "rows",
}
_CHECKPOINTS = re.compile(r"\..+\.checkpoints-[0-9a-f]+|checkpoints-[0-9a-f]+")
_DATABASE = re.compile(r"answers\.db(-wal|-shm|-journal)?")


@dataclass(frozen=True)
class Kept:
    """One kind of what the store holds: the files and folders, their size, and what is lost with them."""

    kind: str
    paths: tuple[Path, ...]
    bytes: int

    @property
    def again(self) -> str:
        return AGAIN[self.kind]


def kept(home: Path) -> list[Kept]:
    """What is in the store, by kind, in the order of what it costs to lose; kinds of which nothing is there are left
    out.

    Raises:
        UsageError: there is no store.
    """
    if not home.is_dir():
        raise UsageError(f"{home}: no store is there; name it with --home")
    found: dict[str, list[Path]] = {kind: [] for kind in AGAIN}
    for kind, path in _parts(home):
        found[kind].append(path)
    return [Kept(kind, tuple(paths), sum(map(size, paths))) for kind, paths in found.items() if paths]


def clean(take: Collection[str] = (), *, home: str | Path = ".flywheel", runs: str | Path = "runs") -> list[Kept]:
    """What the store holds, by kind; or, of the kinds to `take` (`["models", "signals"]`), what was removed.

    Raises:
        UsageError: an unknown kind, or no store.
        FlywheelError: a run in `runs` is at work.
    """
    return _taken(Path(home), take, Path(runs)) if take else kept(Path(home))


def _taken(home: Path, kinds: Collection[str], runs: Path) -> list[Kept]:
    """Remove these kinds from the store; gives what is gone.

    Raises:
        UsageError: an unknown kind, or no store.
        FlywheelError: a run in `runs` is at work.
    """
    for kind in kinds:
        if kind not in AGAIN:
            raise UsageError(f"there is no {kind!r} in a store; there are {', '.join(AGAIN)}")
    busy = [run.name for run in sorted(runs.iterdir()) if run.is_dir() and is_held(run)] if runs.is_dir() else []
    if busy:
        raise FlywheelError(f"{runs / busy[0]}: a process is at work in this run; wait until it has ended")
    gone = [one for one in kept(home) if one.kind in kinds]
    for one in gone:
        for path in one.paths:
            remove(path)
    return gone


def paid(home: Path) -> float:
    """Dollars that the answers in the store cost, as far as it knows."""
    file = home / "answers.db"
    if not file.is_file():
        return 0.0
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            (pico,) = db.execute("SELECT sum(pico) FROM spent").fetchone()
    except sqlite3.Error:
        return 0.0
    return (pico or 0) / PICO


def _parts(home: Path) -> Iterator[tuple[str, Path]]:
    """Each file or folder of the store that is of a known kind."""
    for path in sorted(home.iterdir()):
        if _DATABASE.fullmatch(path.name):
            yield ANSWERS, path
        elif path.name in _FOLDERS and path.is_dir() and not path.is_symlink():
            for inner in sorted(path.iterdir()):
                yield "checkpoints" if _CHECKPOINTS.fullmatch(inner.name) else _FOLDERS[path.name], inner


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links count as nothing, and are not followed."""
    if path.is_symlink():
        return 0
    if not path.is_dir():
        return path.stat().st_size
    inner = (Path(root, name) for root, _, names in os.walk(path) for name in names)
    return sum(file.lstat().st_size for file in inner if not file.is_symlink())
