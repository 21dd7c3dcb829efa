"""Which files a path means: a file, a folder, a pattern, or a data set of the Hugging Face hub."""

from __future__ import annotations

import difflib
import glob
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.block import Left
from dataflywheel.rows.containers.columnar import saved_files, saved_splits
from dataflywheel.rows.containers.folder import folder_files
from dataflywheel.rows.containers.run_folder import CARD, result_of
from dataflywheel.rows.containers.sniff import named
from dataflywheel.rows.containers.split_files import split_files
from dataflywheel.rows.containers.splits import same_split, training
from dataflywheel.rows.parts import part_paths

HUB = re.compile(r"(hf:)?([\w-]+/[\w.-]+)(?:#([^#/]+))?")
DATA = "expected files such as .jsonl, .json, .csv, .parquet or .txt"


@dataclass
class Found:
    """The files of a path in order, what lies beside them unread, and the part of each file that is asked for."""

    files: list[Path]
    unread: list[Left] = field(default_factory=list)
    part: str | None = None


def find_files(path: str) -> list[Path]:
    """The data files that a path means, in order: a folder's in order of name, those of folders in it too.

    Raises:
        FlywheelError: nothing is there, or a folder holds no data.
    """
    return find(path).files


def find(path: str) -> Found:
    """The files that a path means: of splits of one data set those to train on, or what the path names after a `#`.

    Raises:
        FlywheelError: nothing is there, a folder holds no data, no such split, or several and none to train on; or this
            user may not look there.
    """
    try:
        return _find(path)
    except PermissionError as error:
        raise FlywheelError(f"{error.filename or path}: may not be read; check who may read and enter it") from None


def _find(path: str) -> Found:
    path, part = with_part(path)
    place = Path(path).expanduser()
    if is_folder(place):
        return in_folder(place, part)
    if there(place):
        return Found([place], [], part)
    names = sorted(Path(name) for name in glob.glob(str(place), recursive=True))
    if not names:
        raise FlywheelError(missing(place))
    result = Found([])
    loose: list[Path] = []
    for name in names:
        if not is_folder(name):
            loose.append(name)
            continue
        inner = in_folder(name, part)
        result.files += inner.files
        result.unread += inner.unread
    if loose:
        chosen, left = split_files(fixed_part(place), loose, part, path)
        result.files, result.unread = sorted([*result.files, *chosen]), [*result.unread, *left]
    return result


def with_part(path: str) -> tuple[str, str | None]:
    """A path and the part that it names after a `#`; a file may have such a name of its own.

    >>> with_part("data/pool#test"), with_part("pool.jsonl")
    (('data/pool', 'test'), ('pool.jsonl', None))
    """
    head, sign, part = path.rpartition("#")
    if not sign or not head or not part or "/" in part or there(Path(path).expanduser()):
        return path, None
    return head, part


def in_folder(folder: Path, part: str | None) -> Found:
    """The files of a folder; of a run those that it ended with.

    Raises:
        FlywheelError: it holds no data, or not the split that is asked for; or it is a run without a result.
    """
    folder, run = result_of(folder), folder
    splits = saved_splits(folder)
    if splits is not None:
        return saved(folder, splits, part)
    ours = part_paths(folder)
    files = saved_files(folder) or ours
    if files:
        if part is not None:
            raise FlywheelError(f"{folder}#{part}: the folder holds one set of rows and no splits")
        others = set(folder_files(folder)[0]) - set(files) if ours else ()
        return Found(files, [Left(str(file), "beside rows in parts; name it to read it") for file in sorted(others)])
    files, unread = folder_files(folder)
    if folder != run:  # what lies beside the rows of a run is ours
        unread = [left for left in unread if Path(left.path).name != CARD]
        if part is None and files:  # its chats and its pairs are one result
            return Found(files, unread)
    if not files:
        raise FlywheelError(f"{folder}: the folder holds no data; {DATA}{beside(unread)}")
    if part is not None and len(files) == 1 and named(files[0]) in ("json", None):
        return Found(files, unread, part)
    chosen, left = split_files(folder, files, part, str(folder))
    return Found(chosen, [*unread, *left])


def saved(folder: Path, splits: list[str], part: str | None) -> Found:
    """A directory that `DatasetDict.save_to_disk` wrote."""
    if part is None:
        chosen = training(splits)
    else:
        chosen = [split for split in splits if split == part] or [s for s in splits if same_split(s, part)]
    if not chosen:
        what = f"no split {part!r}" if part else "several splits and none to train on"
        raise FlywheelError(f"{folder}: {what}; name one of {', '.join(f'{folder}#{split}' for split in splits)}")
    files = [file for split in chosen for file in saved_files(folder / split)]
    if not files:
        raise FlywheelError(f"{folder}: the split {', '.join(chosen)} is named in dataset_dict.json and is not there")
    left = [Left(str(folder / s), f"another split; name it as {folder}#{s}") for s in splits if s not in chosen]
    return Found(files, left)


def is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


def there(place: Path) -> bool:
    """Whether a path names a file that can be read, or a folder.

    Raises:
        FlywheelError: it is a link to nothing, or neither.
    """
    try:
        mode = place.stat().st_mode
    except (OSError, RuntimeError, ValueError):
        if place.is_symlink():
            raise FlywheelError(f"{place}: {dangling(place)}; mend the link, or name the file itself") from None
        return False
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FlywheelError(f"{place}: not a regular file; write what it gives to a file and name that")
    return True


def dangling(link: Path) -> str:
    """What is wrong with a link that leads to no file.

    >>> dangling(Path("/nowhere/link"))
    'a link that leads to itself'
    """
    try:
        link.resolve(strict=True)
    except FileNotFoundError:
        return (
            f"a link to {link.readlink()}, which is not there" if link.is_symlink() else "a link that leads to itself"
        )
    except (OSError, RuntimeError):
        pass
    return "a link that leads to itself"


def fixed_part(pattern: Path) -> Path:
    """The folder of a pattern down to its first sign."""
    parts = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def beside(unread: list[Left]) -> str:
    return f"; not read: {', '.join(f'{Path(u.path).name} ({u.reason})' for u in unread[:5])}" if unread else ""


def missing(place: Path) -> str:
    return f"{place}: no such file or folder{near(place)}"


def near(place: Path) -> str:
    """What the user may have meant: a file of similar name beside it."""
    if not is_folder(place.parent):
        return f"; the folder {place.parent} does not exist"
    close = difflib.get_close_matches(place.name, [file.name for file in place.parent.iterdir()], n=1, cutoff=0.5)
    return f"; did you mean {place.parent / close[0]}?" if close else f"; nothing in {place.parent} has a similar name"


def hub_name(path: str) -> tuple[str, str | None] | None:
    """The data set and split that a path names on the hub (`owner/name`, `hf:owner/name#split`), or None for files."""
    match = HUB.fullmatch(path)
    if not match:
        return None
    bare = f"{match[1] or ''}{match[2]}"
    place = Path(bare)
    if place.exists() or place.is_symlink() or Path(path).exists():
        return None
    if not match[1] and (named(place) or is_folder(place.parent)):
        return None
    return match[2], match[3]
