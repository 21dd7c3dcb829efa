"""The answer store: every reply of a model that was ever paid for, and the ledger of what calls cost.

One SQLite file in WAL mode, values as JSON. Replies are kept raw, before anybody parses them, so that a changed parser
costs nothing. A reservation is committed before its request is sent; one whose process is gone becomes maybe paid.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.store import answer_ledger
from dataflywheel.store.answer_file import AnswerFile
from dataflywheel.store.answer_ledger import Amount, Reserve, Settle, Spent, Verdict
from dataflywheel.store.owner import owner_of

TABLES = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, outcome TEXT, reply TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, scope TEXT,
  time REAL, request TEXT);
CREATE TABLE IF NOT EXISTS failures (
  key BLOB PRIMARY KEY, outcome TEXT, reply TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, scope TEXT,
  time REAL, request TEXT);
"""
CHECKPOINT_COMMITS = 500  # about 20 MB of log


@dataclass(frozen=True, slots=True)
class Record:
    """How a request ended. `reply` holds what the endpoint said (text, finish, logprobs, detail), as plain data."""

    outcome: str
    reply: dict[str, Any]
    cost: Amount
    request: bytes = b""
    """The request as JSON."""
    failure: bool = False
    """Not an answer: kept apart; it may be sent again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A settlement, with the record that goes into the store together with it, if the request is through."""

    settle: Settle
    record: Record | None = None


class AnswerStore(AnswerFile):
    """`answers.db`. Any number of threads and processes may share the file; writes are short transactions."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, TABLES + answer_ledger.TABLES)
        self.owner = owner_of(os.getpid())
        self._commits = 0
        self.failed: dict[bytes, str] = {}
        """By key, the outcome of requests that ended without an answer, through this store and since it was cleared."""
        self.recovered = self.opened(self.recover)
        """Requests that were under way in killed processes when the store was opened: now maybe paid."""

    def commit(self, writes: Sequence[Reserve | Ended]) -> list[Verdict | None]:
        """All writes in one transaction, settlements first: a verdict for each reservation, None for the others."""
        ended = [write for write in writes if isinstance(write, Ended)]
        wishes = [write for write in writes if isinstance(write, Reserve)]
        asked, over, granted = self.here.asked, {end.settle.key for end in ended}, set[bytes]()
        try:
            with self.transaction() as db:
                if ended:
                    answer_ledger.settle(db, self.owner, [end.settle for end in ended])
                    self.keep(db, ended)
                    asked -= over
                found = answer_ledger.reserve(db, self.owner, wishes) if wishes else []
                granted |= {w.key for w, one in zip(wishes, found, strict=True) if one is Verdict.GRANTED}
                asked |= granted
        except BaseException:
            asked -= over | granted  # whoever asked has ended, and nobody is to wait for it
            raise
        verdicts = iter(found)
        self._commits += 1
        if self._commits % CHECKPOINT_COMMITS == 0:
            threading.Thread(target=self.checkpoint, daemon=True).start()
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
                self.failed.pop(end.settle.key, None)
                self.failed |= {end.settle.key: record.outcome} if record.failure else {}
        for failure, table in ((False, "answers"), (True, "failures")):
            if rows[failure]:
                db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?,?,?,?,?,?,?,?,?)", rows[failure])

    def carry(self, scope: str, spent: Amount) -> None:
        """Enter what is known from elsewhere to have been spent in a scope, so that its caps count it."""
        with self.transaction() as db:
            answer_ledger.settle(db, self.owner, [Settle(b"", scope, spent)])

    def find(self, key: bytes) -> Record | None:
        """The answer with this key, without its request."""
        with self.reading() as db:
            row = db.execute(
                "SELECT outcome, reply, tokens_in, tokens_out, pico FROM answers WHERE key=?", (key,)
            ).fetchone()
        return Record(row[0], self.parsed(row[1]), Amount(1, *row[2:])) if row else None

    def explain(self, key: bytes) -> dict[str, Any] | None:
        """All that is kept of a request, failed ones too: what was asked, what came back, cost, time (Unix seconds)."""
        columns = "outcome, reply, tokens_in, tokens_out, pico, scope, time, request"
        for table in ("answers", "failures"):
            with self.reading() as db:
                row = db.execute(f"SELECT {columns} FROM {table} WHERE key=?", (key,)).fetchone()
            if row:
                return {
                    "outcome": row[0],
                    **self.parsed(row[1]),
                    "tokens_in": row[2],
                    "tokens_out": row[3],
                    "usd": row[4] / answer_ledger.PICO,
                    "scope": row[5],
                    "time": row[6],
                    "request": self.parsed(row[7]),
                }
        return None

    def spent(self, scope: str) -> Spent:
        with self.reading() as db:
            return answer_ledger.spent(db, scope)

    def recover(self) -> int:
        """Find reservations that nobody will settle, since the process is gone or the settlement was lost; their
        requests count as maybe paid. Gives how many."""
        with self.reading() as db:
            rows = db.execute("SELECT owner, key FROM reserved").fetchall()
        left = {owner for owner, key in rows if self._is_left(owner, key)}
        if not left:
            return 0
        with self.transaction() as db:
            return sum(answer_ledger.recover(db, owner, self.here.asked) for owner in left)

    def _is_left(self, owner: str, key: bytes) -> bool:
        if owner == self.owner:
            return key not in self.here.asked
        return not owner.startswith(answer_ledger.BATCH) and owner_of(int(owner.split(":")[1])) != owner
