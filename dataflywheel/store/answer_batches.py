"""Batches that were handed to a provider: kept in the answer store until every request in them is through.

A batch's reservations belong to the batch and to no process, so they stand while nobody is running.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataflywheel.contracts import UsageError
from dataflywheel.store import answer_ledger
from dataflywheel.store.answer_ledger import BATCH, Reserve, Verdict
from dataflywheel.store.answers import AnswerStore, Ended

TABLES = (
    "CREATE TABLE IF NOT EXISTS batches (handle TEXT PRIMARY KEY, scope TEXT, identity TEXT, round INTEGER,"
    " provider TEXT, time REAL)",
    "CREATE TABLE IF NOT EXISTS batch_requests (key BLOB PRIMARY KEY, handle TEXT, request TEXT)",
    "CREATE INDEX IF NOT EXISTS batch_of_request ON batch_requests (handle)",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """`round` counts how often what was left was handed in; `provider` is its name there, where that is known."""

    handle: str
    scope: str
    identity: str
    round: int
    provider: str | None
    time: float
    """Unix time of the first submission."""

    @property
    def owner(self) -> str:
        return BATCH + self.handle


class BatchBook:
    """The batches in one answer store."""

    def __init__(self, answers: AnswerStore) -> None:
        self.answers = answers
        with answers.transaction() as db:
            for statement in TABLES:
                db.execute(statement)

    def open(
        self, handle: str, identity: str, wishes: Sequence[Reserve], requests: Sequence[bytes]
    ) -> tuple[Batch | None, list[Verdict]]:
        """Reserve what is granted of the wishes and write the batch down; None where nothing is granted."""
        with self.answers.transaction() as db:
            verdicts = answer_ledger.reserve(db, BATCH + handle, wishes)
            granted = [i for i, verdict in enumerate(verdicts) if verdict is Verdict.GRANTED]
            if not granted:
                return None, verdicts
            batch = Batch(handle, wishes[0].scope, identity, 0, None, time.time())
            row = (handle, batch.scope, identity, batch.round, batch.provider, batch.time)
            db.execute("INSERT OR REPLACE INTO batches VALUES (?,?,?,?,?,?)", row)
            rows = [(wishes[i].key, handle, requests[i].decode()) for i in granted]
            db.executemany("INSERT INTO batch_requests VALUES (?,?,?)", rows)
        return batch, verdicts

    def get(self, handle: str) -> Batch:
        """The batch of that name.

        Raises:
            UsageError: there is none.
        """
        with self.answers.transaction() as db:
            row = db.execute("SELECT * FROM batches WHERE handle=?", (handle,)).fetchone()
        if row is None:
            raise UsageError(f"no batch {handle!r} in {self.answers.path}; waiting are {self.waiting() or 'none'}")
        return Batch(*row)

    def waiting(self) -> list[str]:
        """Handles of the batches with requests that are not through, oldest first."""
        with self.answers.transaction() as db:
            rows = db.execute(
                "SELECT handle FROM batches WHERE handle IN (SELECT handle FROM batch_requests) ORDER BY time, handle"
            ).fetchall()
        return [handle for (handle,) in rows]

    def holder(self, key: bytes) -> str | None:
        """The handle of the batch that a request is part of."""
        with self.answers.transaction() as db:
            row = db.execute("SELECT handle FROM batch_requests WHERE key=?", (key,)).fetchone()
        return row[0] if row else None

    def left(self, batch: Batch) -> dict[bytes, bytes]:
        """Requests that are not through, as canonical JSON by key, in the order of their keys."""
        with self.answers.transaction() as db:
            return _left(db, batch.handle)

    def sent(self, batch: Batch, provider: str) -> Batch:
        """Note the provider's name for this round."""
        return self._changed(replace(batch, provider=provider))

    def next_round(self, batch: Batch) -> Batch:
        """What is left is to be handed in once more."""
        return self._changed(replace(batch, round=batch.round + 1, provider=None))

    def _changed(self, batch: Batch) -> Batch:
        with self.answers.transaction() as db:
            db.execute(
                "UPDATE batches SET round=?, provider=? WHERE handle=?", (batch.round, batch.provider, batch.handle)
            )
        return batch

    def settle(self, batch: Batch, ended: Sequence[Ended]) -> int:
        """Enter requests that are through, each once however often it is told; gives how many were new."""
        with self.answers.transaction() as db:
            left = _left(db, batch.handle)
            new = list({end.settle.key: end for end in ended if end.settle.key in left}.values())
            answer_ledger.settle(db, batch.owner, [end.settle for end in new])
            self.answers.keep(db, new)
            db.executemany("DELETE FROM batch_requests WHERE key=?", [(end.settle.key,) for end in new])
        return len(new)


def _left(db: sqlite3.Connection, handle: str) -> dict[bytes, bytes]:
    rows = db.execute("SELECT key, request FROM batch_requests WHERE handle=? ORDER BY key", (handle,)).fetchall()
    return {key: request.encode() for key, request in rows}
