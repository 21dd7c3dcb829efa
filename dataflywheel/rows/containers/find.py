"""Which files a path means: a file, a folder, a pattern, or a data set of the Hugging Face hub."""

from __future__ import annotations

import difflib
import glob
import re
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.columnar import saved_files
from dataflywheel.rows.containers.sniff import named
from dataflywheel.rows.parts import part_paths

HUB = re.compile(r"(hf:)?([\w-]+/[\w.-]+)(?:#([\w.-]+))?")
NOT_ROWS = frozenset(
    {
        "quarantine.jsonl", "origins.parquet", "decisions.parquet", "metrics.json", "dataset_info.json", "state.json",
        "dataset_dict.json", "ledger.json", "plan.json", "events.jsonl", "requirements.txt", "LICENSE.txt",
    }
)  # fmt: skip
"""Files that lie beside rows and hold something else."""


def find_files(path: str) -> list[Path]:
    """The data files that a path means, in order: a folder's in order of name, those of folders in it too.

    Raises:
        FlywheelError: nothing is there, or a folder holds no data.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        files = saved_files(place) or part_paths(place) or folder_files(place)
        if not files:
            raise FlywheelError(
                f"{path}: the folder holds no data; expected files such as .jsonl, .json, .csv, .parquet or .txt"
            )
        return files
    if place.exists():
        return [place]
    found = sorted(Path(name) for name in glob.glob(str(place), recursive=True))
    if found:
        return [file for name in found for file in (find_files(str(name)) if name.is_dir() else [name])]
    raise FlywheelError(f"{path}: no such file or folder{near(place)}")


def folder_files(folder: Path) -> list[Path]:
    """Every file below a folder whose name is that of data, hidden ones and our own records left out."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and named(file)
        and file.name not in NOT_ROWS
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def near(place: Path) -> str:
    """What the user may have meant: a file of similar name beside it."""
    if not place.parent.is_dir():
        return f"; the folder {place.parent} does not exist"
    close = difflib.get_close_matches(place.name, [file.name for file in place.parent.iterdir()], n=1, cutoff=0.5)
    return f"; did you mean {place.parent / close[0]}?" if close else f"; nothing in {place.parent} has a similar name"


def hub_name(path: str) -> tuple[str, str | None] | None:
    """The data set and split that a path names on the hub (`owner/name`, `hf:owner/name#split`), or None for files."""
    match = HUB.fullmatch(path)
    if not match or Path(path).exists() or (not match[1] and (named(Path(path)) or Path(path).parent.is_dir())):
        return None
    return match[2], match[3]
