"""A recipe to begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.drafting import drafted, files_here, readable
from dataflywheel.recipe.shipped import data_of, shipped
from dataflywheel.rows.reading import stem
from dataflywheel.store.atomic import write_text


def init(
    pool: str | Sequence[str] | None = None,
    *,
    target: str | None = None,
    model: str = "",
    like: str = "",
    out: str | Path = "recipe.yaml",
) -> list[str]:
    """Write a commented recipe for files, ready for `plan` and `run`; gives what it did, in lines. Files that cannot be
    read are left out, and named with their reason.

    Args:
        pool: files, folders or data set names; the data files of the working directory where none are named.
        target: evaluation rows, what the model shall be good at.
        model: the model to train, a folder or a name of the hub.
        like: copy the recipe of this name, which comes with the package, in place of writing one.
        out: the recipe's file.

    Raises:
        UsageError: that file is there already, a file is both pool and target, none is for the pool, or no such recipe.
        FlywheelError: a path names nothing, no row of the target can be read, or none of any file for the pool.
    """
    left: list[str] = []
    place = Path(out)
    if place.exists():
        raise UsageError(f"{place}: is there already; take it away, or give another file with --out")
    if like:
        if pool or target or model:
            raise UsageError("--like copies a recipe as it is; name files and models in the copy")
        text, brought = _with_data(like, place.parent)
        told = f"{place}: a copy of {like}{brought}"
    else:
        named = [pool] if isinstance(pool, str) else list(pool or [])
        rows, guessed = (named, None) if named else files_here(Path.cwd())
        scored = target or guessed
        if named and target in named:
            raise UsageError(f"{target}: named for the pool and as the target; rows to score by are never trained on")
        seen, left = readable([_from_here(path) for path in rows if path != scored])
        rows = list(seen)
        if scored and scored == guessed:
            try:
                readable([_from_here(scored)])
            except FlywheelError as error:
                scored, left = None, [*left, str(error)]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem(Path(rows[0]))).strip("-.") if rows else ""
        text = drafted(rows, scored and _from_here(scored), model, name or "recipe", seen)
        scoring = f"{_from_here(scored)} to score by" if scored else "nothing to score by (--target)"
        told = f"{place}: {', '.join(rows)} for the pool, {scoring}"
    write_text(place, text)
    told_left = [f"left out, since it cannot be read: {one}" for one in left]
    return [told, *told_left, f"Next: flywheel plan {place}, then flywheel run {place}"]


def _with_data(name: str, folder: Path) -> tuple[str, str]:
    """The text of a recipe that comes with the package, with its data files written to a folder; and what was written.

    Raises:
        UsageError: another file of that name is there.
    """
    text, data = shipped(name), data_of(name)
    places = {known: folder / Path(known).name for known in data}
    for known, place in places.items():
        if place.exists() and place.read_bytes() != data[known]:
            raise UsageError(f"{place}: is there already, and {name} brings a file of that name; give another folder")
    for known, place in places.items():
        write_text(place, data[known].decode())
        text = text.replace(known, str(place))
    return text, f", with its data {', '.join(map(str, places.values()))}" if places else ""


def _from_here(path: str) -> str:
    """The path from the working directory, where it lies in it."""
    place = Path(path)
    return str(place.relative_to(Path.cwd())) if place.is_absolute() and place.is_relative_to(Path.cwd()) else path
