"""What model calls cost: reservations made before a request is sent, settlements after, and hard caps between them.

Dollars are kept as whole picodollars, so that sums are exact and do not depend on the order of settlements. All
functions work inside the transaction of the store that calls them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

PICO = 10**12
BATCH = "@batch:"
"""Begins the owner of reservations that outlive their process; no host has such a name."""

TABLES = """
CREATE TABLE IF NOT EXISTS spent (
  scope TEXT, maybe INTEGER, calls INTEGER, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER,
  PRIMARY KEY (scope, maybe)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reserved (
  key BLOB PRIMARY KEY, scope TEXT, owner TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, time REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS maybe_paid (
  id INTEGER PRIMARY KEY, key BLOB, scope TEXT, tokens_in INTEGER, tokens_out INTEGER, pico INTEGER, reason TEXT,
  time REAL);
"""


@dataclass(frozen=True, slots=True)
class Amount:
    """Calls, tokens and dollars (in `pico`, 1e-12 dollars)."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    pico: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.pico + other.pico,
        )


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent in a scope, at most, counting what is reserved and what may have been paid. None: no cap."""

    usd: float | None = None
    tokens: int | None = None
    """Read and written together."""
    calls: int | None = None

    def allow(self, amount: Amount) -> bool:
        return (
            (self.usd is None or amount.pico <= round(self.usd * PICO))
            and (self.tokens is None or amount.tokens_in + amount.tokens_out <= self.tokens)
            and (self.calls is None or amount.calls <= self.calls)
        )

    @property
    def none(self) -> bool:
        return self.usd is None and self.tokens is None and self.calls is None


@dataclass(frozen=True, slots=True)
class Spent:
    """The bill of a scope. `calls`, tokens and `usd` are settled; what may have been paid comes at its worst case."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    maybe_paid_calls: int = 0
    maybe_paid_tokens: int = 0
    maybe_paid_usd: float = 0.0
    reserved_calls: int = 0
    """Requests under way now."""
    reserved_usd: float = 0.0


class Verdict(Enum):
    """What became of a wish to reserve."""

    GRANTED = "granted"
    ANSWERED = "answered"
    """The answer is in the store: it came in the meantime."""
    BUSY = "busy"
    """Another process is asking the same at this moment."""
    DEFERRED = "deferred"
    """It is part of a batch that has been submitted and not collected."""
    WAIT = "wait"
    """Too much is reserved by requests under way; it may fit when they have settled for less."""
    OVER = "over"
    """It does not fit under the caps."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """Permission to send one request that costs `worst` at most."""

    key: bytes
    scope: str
    worst: Amount
    caps: Caps
    again: bool = False
    """Ask although there is an answer in the store."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The end of one request: what it cost, or might have cost (`maybe`, with the reason)."""

    key: bytes
    scope: str
    cost: Amount = Amount()
    maybe: str = ""


def reserve(db: sqlite3.Connection, owner: str, wishes: Sequence[Reserve]) -> list[Verdict]:
    """A verdict for each wish, in order; granted ones are written down."""
    verdicts = []
    totals: dict[str, tuple[Amount, Amount]] = {}
    now = time.time()
    for wish in wishes:
        verdict = Verdict.GRANTED
        if not wish.again and db.execute("SELECT 1 FROM answers WHERE key=?", (wish.key,)).fetchone():
            verdict = Verdict.ANSWERED
        elif held_by := db.execute("SELECT owner FROM reserved WHERE key=?", (wish.key,)).fetchone():
            verdict = Verdict.DEFERRED if held_by[0].startswith(BATCH) else Verdict.BUSY
        elif not wish.caps.none:
            if wish.scope not in totals:
                totals[wish.scope] = _spent(db, wish.scope, 0) + _spent(db, wish.scope, 1), _held(db, wish.scope)
            gone, held = totals[wish.scope]
            if not wish.caps.allow(gone + wish.worst):
                verdict = Verdict.OVER
            elif not wish.caps.allow(gone + held + wish.worst):
                verdict = Verdict.WAIT
            else:
                totals[wish.scope] = gone, held + wish.worst
        if verdict is Verdict.GRANTED:
            # At once, so that an equal key later in the same batch finds it.
            row = (wish.key, wish.scope, owner, wish.worst.tokens_in, wish.worst.tokens_out, wish.worst.pico, now)
            db.execute("INSERT INTO reserved VALUES (?,?,?,?,?,?,?)", row)
        verdicts.append(verdict)
    return verdicts


def settle(db: sqlite3.Connection, owner: str, ended: Sequence[Settle]) -> None:
    """Enter what the requests cost and take their reservations back."""
    db.executemany("DELETE FROM reserved WHERE key=? AND owner=?", [(end.key, owner) for end in ended])
    totals: dict[tuple[str, bool], Amount] = {}
    for end in ended:
        if end.maybe:
            cost = end.cost
            row = (end.key, end.scope, cost.tokens_in, cost.tokens_out, cost.pico, end.maybe, time.time())
            db.execute("INSERT INTO maybe_paid VALUES (NULL,?,?,?,?,?,?,?)", row)
        if end.cost.calls:
            entry = end.scope, bool(end.maybe)
            totals[entry] = totals.get(entry, Amount()) + end.cost
    for (scope, maybe), cost in totals.items():
        db.execute(
            "INSERT INTO spent VALUES (?,?,?,?,?,?) ON CONFLICT (scope, maybe) DO UPDATE SET"
            " calls=calls+excluded.calls, tokens_in=tokens_in+excluded.tokens_in,"
            " tokens_out=tokens_out+excluded.tokens_out, pico=pico+excluded.pico",
            (scope, int(maybe), cost.calls, cost.tokens_in, cost.tokens_out, cost.pico),
        )


def recover(db: sqlite3.Connection, owner: str, asked: Collection[bytes] = ()) -> int:
    """The requests that a process left behind when it was killed become maybe paid, at their worst case; not those
    that are `asked` at this moment."""
    held = db.execute("SELECT key, scope, tokens_in, tokens_out, pico FROM reserved WHERE owner=?", (owner,)).fetchall()
    why = "its end was lost, or the process was killed"
    ended = [Settle(key, scope, Amount(1, *worst), why) for key, scope, *worst in held if key not in asked]
    settle(db, owner, ended)
    return len(ended)


def spent(db: sqlite3.Connection, scope: str) -> Spent:
    settled, maybe, held = _spent(db, scope, 0), _spent(db, scope, 1), _held(db, scope)
    return Spent(
        settled.calls,
        settled.tokens_in,
        settled.tokens_out,
        settled.pico / PICO,
        maybe.calls,
        maybe.tokens_in + maybe.tokens_out,
        maybe.pico / PICO,
        held.calls,
        held.pico / PICO,
    )


def _spent(db: sqlite3.Connection, scope: str, maybe: int) -> Amount:
    row = db.execute(
        "SELECT calls, tokens_in, tokens_out, pico FROM spent WHERE scope=? AND maybe=?", (scope, maybe)
    ).fetchone()
    return Amount(*row) if row else Amount()


def _held(db: sqlite3.Connection, scope: str) -> Amount:
    row = db.execute(
        "SELECT count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0), coalesce(sum(pico), 0)"
        " FROM reserved WHERE scope=?",
        (scope,),
    ).fetchone()
    return Amount(*row)
