"""The answer store: every reply of a model that was ever paid for, and the ledger of what calls cost.

One SQLite file in WAL mode, values as JSON. Replies are kept raw, before anybody parses them, so that a changed parser
costs nothing. A reservation is committed before its request is sent; one whose process is gone becomes maybe paid.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.store import answer_ledger
from dataflywheel.store.answer_ledger import Amount, Reserve, Settle, Spent, Verdict
from dataflywheel.store.atomic import make_folder
from dataflywheel.store.owner import owner_of

TABLES = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, outcome TEXT, reply TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, scope TEXT,
  time REAL, request TEXT);
CREATE TABLE IF NOT EXISTS failures (
  key BLOB PRIMARY KEY, outcome TEXT, reply TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, scope TEXT,
  time REAL, request TEXT);
"""
CHECKPOINT_COMMITS = 500  # about 20 MB of write-ahead log
BUSY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Record:
    """How a request ended. `reply` holds what the endpoint said (text, finish, logprobs, detail), as plain data."""

    outcome: str
    reply: dict[str, Any]
    cost: Amount
    request: bytes = b""
    """The request as JSON."""
    failure: bool = False
    """Not an answer: kept apart, and the request may be sent again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A settlement, with the record that goes into the store together with it, if the request is through."""

    settle: Settle
    record: Record | None = None


class AnswerStore:
    """`answers.db`. Any number of threads and processes may share the file; writes are short transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner = owner_of(os.getpid())
        make_folder(path.parent)
        self._writing = threading.Lock()
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._checkpointing = threading.Lock()
        self._commits = 0
        try:
            self._db: sqlite3.Connection | None = self._connect()
            self._db.executescript("PRAGMA journal_mode=WAL;" + TABLES + answer_ledger.TABLES)
        except sqlite3.OperationalError as error:
            raise FlywheelError(f"{path}: cannot be opened as an answer store ({error}); move it away") from None
        except sqlite3.Error as error:
            raise self._damaged(error) from None
        self.recovered = self.recover()
        """Requests that were under way in killed processes when the store was opened: now maybe paid."""

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written within."""
        with self._writing:
            try:
                db = self._db = self._db or self._connect()
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
            except sqlite3.DatabaseError as error:
                if not isinstance(error, sqlite3.OperationalError):
                    raise self._damaged(error) from None
                raise FlywheelError(f"{self.path}: cannot be written ({error}); nothing was sent unrecorded") from None

    def commit(self, writes: Sequence[Reserve | Ended]) -> list[Verdict | None]:
        """All writes in one transaction, settlements first: a verdict for each reservation, None for the others."""
        ended = [write for write in writes if isinstance(write, Ended)]
        wishes = [write for write in writes if isinstance(write, Reserve)]
        with self.transaction() as db:
            if ended:
                answer_ledger.settle(db, self.owner, [end.settle for end in ended])
                self.keep(db, ended)
            verdicts = iter(answer_ledger.reserve(db, self.owner, wishes) if wishes else ())
        self._commits += 1
        if self._commits % CHECKPOINT_COMMITS == 0:
            threading.Thread(target=self._checkpoint, daemon=True).start()
        return [next(verdicts) if isinstance(write, Reserve) else None for write in writes]

    def keep(self, db: sqlite3.Connection, ended: Iterable[Ended]) -> None:
        """Write the records of requests that are through."""
        now = time.time()
        rows: dict[bool, list[tuple[Any, ...]]] = {False: [], True: []}
        for end in ended:
            if record := end.record:
                cost = (record.cost.tokens_in, record.cost.tokens_out, record.cost.pico)
                reply = orjson.dumps(record.reply).decode()
                row = (end.settle.key, record.outcome, reply, *cost, end.settle.scope, now, record.request.decode())
                rows[record.failure].append(row)
        for failure, table in ((False, "answers"), (True, "failures")):
            if rows[failure]:
                db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?,?,?,?,?,?,?,?,?)", rows[failure])

    def _checkpoint(self) -> None:
        """Move the write-ahead log into the file. In a thread and connection of its own, for it waits for the disk."""
        if self._checkpointing.acquire(blocking=False):
            try:
                with closing(self._connect()) as db:
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            except sqlite3.Error:
                pass  # the log stays longer; the next turn moves it
            finally:
                self._checkpointing.release()

    def _reader(self) -> sqlite3.Connection:
        """A connection of this thread's own: readers do not wait for the writer."""
        if not hasattr(self._reading, "db"):
            self._reading.db = self._connect()
            self._readers.append(self._reading.db)
        db: sqlite3.Connection = self._reading.db
        return db

    def _read(self, query: str, *values: Any) -> list[Any]:
        """
        Raises:
            FlywheelError: the file is damaged.
        """
        try:
            try:
                return self._reader().execute(query, values).fetchall()
            except sqlite3.ProgrammingError:  # closed in the meantime
                return self._reader().execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def _json(self, text: str) -> dict[str, Any]:
        try:
            return dict(orjson.loads(text))
        except ValueError as error:
            raise self._damaged(error) from None

    def carry(self, scope: str, spent: Amount) -> None:
        """Enter what is known from elsewhere to have been spent in a scope, so that its caps count it."""
        with self.transaction() as db:
            answer_ledger.settle(db, self.owner, [Settle(b"", scope, spent)])

    def _damaged(self, error: Exception) -> FlywheelError:
        return FlywheelError(
            f"{self.path}: the store of paid answers cannot be read ({error}); bring it back from a copy, save what is "
            f"left (sqlite3 {self.path.name} .recover), or move it away with its -wal: what it held is then paid again"
        )

    def find(self, key: bytes) -> Record | None:
        """The answer with this key, without its request."""
        for row in self._read("SELECT outcome, reply, tokens_in, tokens_out, pico FROM answers WHERE key=?", key):
            return Record(row[0], self._json(row[1]), Amount(1, *row[2:]))
        return None

    def explain(self, key: bytes) -> dict[str, Any] | None:
        """All that is kept of a request, failed ones too: what was asked, what came back, cost, time (Unix seconds)."""
        columns = "outcome, reply, tokens_in, tokens_out, pico, scope, time, request"
        for table in ("answers", "failures"):
            for row in self._read(f"SELECT {columns} FROM {table} WHERE key=?", key):
                return {
                    "outcome": row[0],
                    **self._json(row[1]),
                    "tokens_in": row[2],
                    "tokens_out": row[3],
                    "usd": row[4] / answer_ledger.PICO,
                    "scope": row[5],
                    "time": row[6],
                    "request": self._json(row[7]),
                }
        return None

    def spent(self, scope: str) -> Spent:
        try:
            return answer_ledger.spent(self._reader(), scope)
        except sqlite3.Error as error:
            raise self._damaged(error) from None

    def recover(self) -> int:
        """Find reservations of processes that are gone; their requests count as maybe paid. Gives how many."""
        rows = self._read("SELECT DISTINCT owner FROM reserved")
        owners = [owner for (owner,) in rows if not owner.startswith(answer_ledger.BATCH)]
        gone = [owner for owner in owners if owner != self.owner and owner_of(int(owner.split(":")[1])) != owner]
        if not gone:
            return 0
        with self.transaction() as db:
            return sum(answer_ledger.recover(db, owner) for owner in gone)

    def close(self) -> None:
        """Close all connections, so that the write-ahead log goes into the file. A request that ends later opens one
        once more, so that its answer is kept."""
        with self._writing:
            readers, self._readers = self._readers, []
            self._reading = threading.local()
            for reader in readers:
                reader.close()
            if self._db is not None:
                self._db.close()
                self._db = None
