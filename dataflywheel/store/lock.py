"""One process at a time where files are replaced or made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.atomic import make_folder, set_aside, sweep
from dataflywheel.store.seal import changed, is_there, seal_folder


@contextmanager
def only_here(directory: Path) -> Iterator[None]:
    """Hold a directory, made where it is missing, until the block or the process ends, however that is.

    The operating system keeps the lock and gives it up with the process; the file `.lock` that it hangs on stays, and
    means nothing by itself. It names the holder's process for whoever comes second.

    Raises:
        FlywheelError: another process, or another thread of this one, holds the directory.
    """
    import fcntl

    place = make_folder(directory) / ".lock"
    if place.is_dir():
        set_aside(place, "a folder, where a file belongs", "made anew")
    with place.open("a+", encoding="ascii", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise FlywheelError(_taken(directory, file.read().strip())) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def is_held(directory: Path) -> bool:
    """Whether a process holds the directory at this moment."""
    import fcntl

    place = directory / ".lock"
    if not place.is_file():
        return False
    with place.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
    return False


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process and no other thread is in such a block of `path`, which need not exist, and enter.
    Half-written forms of it are then nobody's, and are removed.

    What to do must be looked up within: the one before may have done it. A block of the same path inside never begins.
    """
    import fcntl

    make_folder(path.parent)
    place = path.parent / f".{path.name}.lock"
    while True:
        with place.open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(file.fileno(), place):
                continue  # the holder before took the file away
            try:
                sweep(path.parent, of=path.name)
                yield
            finally:
                place.unlink(missing_ok=True)
                fcntl.flock(file, fcntl.LOCK_UN)  # a forked child may hold the file open
            return


def made_once(folder: Path, make: Callable[[], None]) -> Path:
    """The folder, by `make` where it is not there or damaged; of several that want it one makes it, and the others
    wait."""
    if not folder.is_dir() or changed(folder):
        with one_at_a_time(folder):
            if not is_there(folder):
                make()
                seal_folder(folder)
    return folder


def _is_at(descriptor: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), place.stat())
    except FileNotFoundError:
        return False


def _taken(directory: Path, holder: str) -> str:
    who, stop = (f"process {holder}", f"stop it (kill {holder})") if holder else ("another process", "stop it")
    return f"{directory}: {who} is at work in this run; wait until it has ended, {stop}, or take another name"
