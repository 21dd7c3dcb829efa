"""The file of an answer store: its connections, one writer and a reader a thread, and what becomes of damage in it."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.store.answer_salvage import WAY_OUT, salvage, suspect
from dataflywheel.store.atomic import make_folder

BUSY_SECONDS = 60
NO_GROWTH = "disk I/O error"
"""What SQLite says where the system lets a file not grow, be it for a quota or a limit, as of a disk that fails."""
NO_ROOM = "free some space, or allow larger files (ulimit -f), and give the same command again"


class _Here:
    """What all stores of one file share that this process has."""

    def __init__(self) -> None:
        self.writing = threading.Lock()
        self.asked: set[bytes] = set()
        """Keys of requests of this process that are under way."""


_HERE: dict[Path, _Here] = {}


class AnswerFile:
    """One SQLite file in WAL mode with these tables."""

    def __init__(self, path: Path, tables: str) -> None:
        make_folder(path.parent)
        self.path = path
        if not _may_be_a_store(path):
            raise FlywheelError(f"{path}: no file, and the store of answers belongs there; move it away")
        self.here = _HERE.setdefault(path.resolve(), _Here())
        self._tables = tables
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._checkpointing = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def opened(self, then: Callable[[], int], again: bool = True) -> int:
        """Open the file, made anew where it is damaged, and do what is to be done `then`."""
        salvage(self.path, self._tables)
        try:
            self._db = self._connect()
            self._db.executescript("PRAGMA journal_mode=WAL;" + self._tables)
            return then()
        except (sqlite3.Error, FlywheelError) as error:
            self.close()
            if again and suspect(self.path, error):
                return self.opened(then, again=False)
            way = NO_ROOM if NO_GROWTH in str(error) else "end what has it open, or move it away"
            raise FlywheelError(f"{self.path}: cannot be opened as an answer store ({error}); {way}") from None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.executescript("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0")
        except sqlite3.Error:
            db.close()  # at once: what is open keeps the file from being made anew
            raise
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written within."""
        with self.here.writing:
            try:
                db = self._db = self._db or self._connect()
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):  # a full disk has rolled back already
                        db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                suspect(self.path, error)
                if self._db is not None:
                    self._db.close()  # it may hold what all others wait for
                    self._db = None
                way = f"; {NO_ROOM}" if NO_GROWTH in str(error) else ""
                raise FlywheelError(
                    f"{self.path}: cannot be written ({error}); nothing was sent unrecorded{way}"
                ) from None

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. In a thread and connection of its own, for it waits for the disk."""
        with self._checkpointing, suppress(sqlite3.Error):  # else the log stays longer; the next turn moves it
            if self._db is not None:
                with closing(self._connect()) as db:
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread's own: readers do not wait for the writer.

        Raises:
            FlywheelError: the file was damaged while it was in use.
        """
        try:
            if not hasattr(self._reading, "db"):
                self._reading.db = self._connect()
                self._readers.append(self._reading.db)
            yield self._reading.db
        except sqlite3.ProgrammingError as error:
            raise FlywheelError(f"{self.path}: closed while it was read ({error}); the same command goes on") from None
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> FlywheelError:
        suspect(self.path, error)
        told = f"the store of paid answers cannot be read ({error}); the same command makes it anew of what is whole"
        return FlywheelError(f"{self.path}: {told}. Or {WAY_OUT}")

    def parsed(self, text: str) -> dict[str, Any]:
        """JSON that the file holds.

        Raises:
            FlywheelError: it is damaged.
        """
        try:
            return dict(orjson.loads(text))
        except ValueError as error:
            raise self._damaged(error) from None

    def close(self) -> None:
        """Close all connections: a file that was damaged meanwhile is whole to its damage when it is opened next. A
        request that ends later opens one once more, so that its answer is kept."""
        with self._checkpointing, self.here.writing:
            readers, self._readers, self._reading = self._readers, [], threading.local()
            for db in readers:
                db.close()
            if self._db is not None:
                self._db.close()
                self._db = None


def _may_be_a_store(path: Path) -> bool:
    """Whether a file is there, or nothing: no folder, pipe, device, nor links in a circle."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
    except OSError:
        return False
