"""One process at a time where files are replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataflywheel.contracts import FlywheelError


@contextmanager
def only_here(directory: Path) -> Iterator[None]:
    """Hold a directory, made where it is missing, until the block or the process ends, however that is.

    The operating system keeps the lock and gives it up with the process; the file `.lock` that it hangs on stays, and
    means nothing by itself. It names the holder's process for whoever comes second.

    Raises:
        FlywheelError: another process, or another thread of this one, holds the directory.
    """
    import fcntl

    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("a+", encoding="ascii") as file:
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


def _taken(directory: Path, holder: str) -> str:
    who, stop = (f"process {holder}", f"stop it (kill {holder})") if holder else ("another process", "stop it")
    return f"{directory}: {who} is at work in this run; wait until it has ended, {stop}, or take another name"
