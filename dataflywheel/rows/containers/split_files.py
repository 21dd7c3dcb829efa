"""Which of the files of a folder belong to the split that is asked for, or to the one to train on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.block import Left
from dataflywheel.rows.containers.declared import DEFAULT, declared
from dataflywheel.rows.containers.sniff import bare_stem
from dataflywheel.rows.containers.splits import same_split, split_kind, split_name, training


@dataclass(frozen=True)
class Placed:
    """A file with its data set (the folder, less the name of a split) and its split, None where it names none."""

    path: Path
    data_set: tuple[str, ...]
    split: str | None
    config: str | None = None
    """The configuration that the data set's card puts it in."""


def split_files(folder: Path, files: list[Path], part: str | None, shown: str) -> tuple[list[Path], list[Left]]:
    """The files to read and those left, with the reason.

    A file's split is told by the data set's card, else by its name, else by a folder that it lies in. Of each data set
    the files to train on are taken; where it has none, those without a split; other splits only where the folder holds
    nothing else.

    Raises:
        FlywheelError: no file of the split that is asked for; or several splits, and none to train on.
    """
    card = declared(folder)
    unnamed = [file for file in files if file not in card] if any(file in card for file in files) else []
    aside = [Left(str(file), "not among the files that README.md declares; name it to read it") for file in unnamed]
    placed = [place(folder, file, card.get(file)) for file in files if file not in unnamed]
    placed, others = one_configuration(placed, part, shown)
    aside += others
    if part is not None and not any(one.config == part for one in placed):
        chosen_files, others = asked(placed, part, shown)
        return chosen_files, [*others, *aside]
    sets: dict[tuple[str, ...], list[Placed]] = {}
    for one in placed:
        sets.setdefault(one.data_set, []).append(one)
    chosen = [one for of_set in sets.values() for one in to_train_on(of_set)]
    if not chosen:
        kinds = {split_kind(one.split or "") for one in placed}
        if len(kinds) > 1:
            names = sorted({one.split or "" for one in placed})
            choices = ", ".join(f"{shown}#{name}" for name in names[:8])
            raise FlywheelError(f"{shown}: several splits and none to train on; name one of {choices}")
        chosen = placed
    taken = {one.path for one in chosen}
    left = [Left(str(one.path), why(one, shown)) for one in placed if one.path not in taken]
    return [one.path for one in placed if one.path in taken], [*left, *aside]


def place(folder: Path, file: Path, said: tuple[str, str] | None = None) -> Placed:
    """A file where the data set's card says that it belongs, else where its names do.

    >>> place(Path("d"), Path("d/data/test/a.jsonl"))
    Placed(path=PosixPath('d/data/test/a.jsonl'), data_set=('data',), split='test')
    """
    if said is not None:
        return Placed(file, ("card", said[0]), said[1], said[0])
    parts = file.relative_to(folder).parts[:-1]
    name = split_name(bare_stem(file))
    if name is not None:
        return Placed(file, parts, name)
    for at in reversed(range(len(parts))):
        if split_kind(parts[at]):
            return Placed(file, parts[:at] + parts[at + 1 :], parts[at])
    return Placed(file, parts, None)


def one_configuration(placed: list[Placed], part: str | None, shown: str) -> tuple[list[Placed], list[Left]]:
    """Of several configurations of a data set, which are data sets of their own, the one that is asked for, or the
    usual one; the files of the others are left.

    Raises:
        FlywheelError: none is asked for, and the card says of none that it is the usual one.
    """
    configs = list(dict.fromkeys(one.config for one in placed if one.config is not None))
    if len(configs) < 2:
        return placed, []
    wanted = part if part in configs else DEFAULT if DEFAULT in configs else None
    if wanted is None and part is None:
        choices = ", ".join(f"{shown}#{name}" for name in configs[:8])
        raise FlywheelError(
            f"{shown}: README.md declares several configurations, which are not mixed unasked; name one of {choices}, "
            "or several as entries of their own"
        )
    if wanted is None:
        return placed, []
    left = [
        Left(str(one.path), f"of the configuration {one.config}; name it as {shown}#{one.config} to read it")
        for one in placed
        if one.config != wanted
    ]
    return [one for one in placed if one.config == wanted], left


def to_train_on(files: list[Placed]) -> Iterable[Placed]:
    names = list(dict.fromkeys(one.split for one in files if one.split and split_kind(one.split) == "train"))
    chosen = set(training(names)) if names else {None}
    return [one for one in files if one.split in chosen]


def asked(placed: list[Placed], part: str, shown: str) -> tuple[list[Path], list[Left]]:
    named = [one for one in placed if one.split and one.split.lower() == part.lower()]
    chosen = named or [one for one in placed if one.split and same_split(one.split, part)]
    if not chosen:
        names = sorted({one.split for one in placed if one.split})
        has = f"it has {', '.join(names[:12])}" if names else "its files name no splits"
        raise FlywheelError(f"{shown}#{part}: no split {part!r}; {has}")
    taken = {one.path for one in chosen}
    left = [Left(str(one.path), "of another split than asked for") for one in placed if one.path not in taken]
    return sorted(taken), left


def why(one: Placed, shown: str) -> str:
    if one.split is None:
        return "names no split, beside files that do; name the file to read it"
    return f"of the split {one.split}; name it as {shown}#{one.split} to read it"
