"""The command `flywheel` as a user calls it, in a process forked from one that has imported it all."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context, set_start_method
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

LONGEST = 120.0


def flywheel(*arguments: str, folder: Path) -> CompletedProcess[str]:
    """Run `flywheel ARGUMENTS` in a folder. Importing it anew each time would take ten times as long as most commands.

    Raises:
        AssertionError: it did not end in time.
    """
    forks = get_context("forkserver")
    forks.set_forkserver_preload(["tests.support.preloaded"])
    with TemporaryDirectory() as said:
        out, err = Path(said, "out"), Path(said, "err")
        process = forks.Process(target=_run, args=(arguments, folder, out, err, dict(os.environ)))
        process.start()
        process.join(LONGEST)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"flywheel {' '.join(arguments)} took longer than {LONGEST:.0f} s")
        texts = [path.read_text(encoding="utf-8") for path in (out, err)]
    return CompletedProcess(["flywheel", *arguments], process.exitcode, *texts)


def _run(arguments: Sequence[str], folder: Path, out: Path, err: Path, environment: Mapping[str, str]) -> None:
    set_start_method("fork", force=True)  # as in a process of its own
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["flywheel", *arguments]
    from dataflywheel.cli.main import main

    main()
