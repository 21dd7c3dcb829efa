"""The command `flywheel` in a process that ends itself within a commit, forked from one that has imported it all."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing import get_context, set_start_method
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

CONNECT = sqlite3.connect
LASTING = frozenset({"os.rename", "shutil.rmtree"})


def start(arguments: Sequence[str], log: Path, commit: int = 0, late: float = 0.0) -> BaseProcess:
    """Run `flywheel ARGUMENTS`; `commit`: the process is killed at its so many-th commit, `late` seconds after that
    began. What it says goes to `log`, at a good end with the number of its commits as the last line."""
    forks = get_context("forkserver")
    forks.set_forkserver_preload(["tests.support.preloaded"])
    process = forks.Process(target=_run, args=(list(arguments), log, commit, late))
    process.start()
    return process


def _run(arguments: list[str], log: Path, commit: int, late: float) -> None:
    set_start_method("fork", force=True)  # as in a process of its own
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    commits = _Commits(commit, late)
    sys.addaudithook(commits.hear)
    sqlite3.connect = commits.connect  # type: ignore[assignment]
    sys.argv = ["flywheel", *arguments]
    from dataflywheel.cli.main import main

    try:
        main()
    except SystemExit as end:
        print(f"\n{commits.seen}", flush=True)
        os._exit(end.code if isinstance(end.code, int) else bool(end.code))


class _Commits:
    """Counts what makes work last: renames, removals of what is replaced, transactions of a database."""

    def __init__(self, last: int, late: float) -> None:
        self.seen = 0
        self._last, self._late = last, late

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        if event in LASTING:
            self._began()

    def connect(self, *given: Any, **more: Any) -> sqlite3.Connection:
        """As `sqlite3.connect`, and what is said to the database is heard."""
        db = CONNECT(*given, **more)
        db.set_trace_callback(self._statement)
        return db

    def _statement(self, said: str) -> None:
        if said == "COMMIT":
            self._began()

    def _began(self) -> None:
        self.seen += 1
        if self.seen == self._last and self._late:
            threading.Thread(target=self._die, daemon=True).start()
        elif self.seen == self._last:
            self._die()

    def _die(self) -> None:
        time.sleep(self._late)
        os.kill(os.getpid(), signal.SIGKILL)
