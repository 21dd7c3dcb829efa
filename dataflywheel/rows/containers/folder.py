"""The data files below a folder, and what else lies there."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from pathlib import Path

from dataflywheel.rows.containers.block import Left
from dataflywheel.rows.containers.sniff import named

OURS = frozenset({"quarantine.jsonl", "origins.parquet", "decisions.parquet", "metrics.json", "ledger.json",
                  "plan.json", "events.jsonl"})  # fmt: skip
"""Files that we write beside rows and that hold something else."""
NOT_ROWS = re.compile(
    r"(dataset_infos?|dataset_dict|state|trainer_state|.*config|.*config\.[a-z]+|package|package-lock|croissant"
    r"|tokenizer|.*tokens?_map|added_tokens|vocab|.*\.index|citation|manifest|versions?)\.json"
    r"|(licen[cs]e|readme|notice|requirements|cmakelists|merges|vocab|changelog|contributing|citation|authors|robots"
    r"|top_level|version)([-_.][\w.-]*)?\.txt"
    r"|(cache|indices|tmp)[-_\w]*\.arrow",
    re.IGNORECASE,
)
"""Names of files that lie beside data by custom and hold none."""
WAYS_OUT = {
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z", ".rar"), "an archive; unpack it to have it read"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a workbook; save it as .csv or .jsonl to have it read"),
    **dict.fromkeys(
        (".avro", ".orc", ".db", ".sqlite", ".h5"), "data of a kind that is not read; write it as .parquet"
    ),
    **dict.fromkeys((".pkl", ".pickle"), "a pickle, which is never opened; write it as .jsonl"),
}
SHOWN = 100


def folder_files(folder: Path) -> tuple[list[Path], list[Left]]:
    """Every file below a folder whose name is that of data, in order of name, and what was left, with the reason.

    Links are followed, each folder and file once; hidden files and folders are left out.
    """
    files: list[Path] = []
    unread: list[Left] = []
    seen: set[tuple[int, int]] = {identity(os.stat(folder))}
    for root, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in list(folders):
            reason = why_left(Path(root, name), seen)
            if reason:
                folders.remove(name)
                unread.append(Left(str(Path(root, name)), reason))
        for name in sorted(names):
            path = Path(root, name)
            reason = why_left(path, seen)
            if reason:
                unread.append(Left(str(path), reason))
            else:
                files.append(path)
    return sorted(files), brief(folder, sorted(unread, key=lambda left: left.path))


def identity(place: os.stat_result) -> tuple[int, int]:
    return place.st_dev, place.st_ino


def why_left(path: Path, seen: set[tuple[int, int]]) -> str | None:
    """Why what lies at a path is not read; None for a folder to look into and a file of data."""
    if path.name.startswith("."):
        return "hidden"
    try:
        place = os.stat(path)
    except OSError:
        return "a link that leads nowhere" if path.is_symlink() else "cannot be opened"
    if stat.S_ISDIR(place.st_mode):
        return once(place, seen)
    if not stat.S_ISREG(place.st_mode):
        return "not a regular file"
    if path.name in OURS:
        return "kept beside rows"
    if NOT_ROWS.fullmatch(path.name):
        return "beside data by custom, and no rows"
    return once(place, seen) if named(path) else WAYS_OUT.get(path.suffix.lower(), "no data, by its name")


def once(place: os.stat_result, seen: set[tuple[int, int]]) -> str | None:
    if place.st_nlink > 1 and stat.S_ISREG(place.st_mode):
        return None
    if identity(place) in seen:
        return "the same as one that is read already"
    seen.add(identity(place))
    return None


def brief(folder: Path, unread: list[Left]) -> list[Left]:
    """What was left, file by file; of very many files their number by suffix."""
    if len(unread) <= SHOWN:
        return unread
    counts = Counter((Path(left.path).suffix, left.reason) for left in unread)
    return [Left(f"{folder}: {count:,} of *{suffix}", reason) for (suffix, reason), count in sorted(counts.items())]
