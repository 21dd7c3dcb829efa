"""An answer store that was damaged on disk: set aside, and made anew of all in it that can be read."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import orjson

from dataflywheel.contracts import FlywheelError

SIGNS = ("malformed", "not a database", "disk I/O error", "Could not decode")
WAY_OUT = "bring it back from a copy, or move it away with its -wal: what it held is then paid again"
MOST = 100_000
"""Rows that are taken of a small table: pages that lead back to each other have no end."""
FURTHEST = 1 << 20
"""Rows that are skipped at most to find a page that can be read behind one that cannot."""


def suspect(path: Path, error: Exception) -> bool:
    """Whether an error shows a store to be damaged; leaves a note beside it for whoever opens it next."""
    found = isinstance(error, ValueError) or any(sign in str(error) for sign in SIGNS)
    if found:
        with suppress(OSError):  # else whoever opens it next meets the same error
            _note(path).touch()
    return found


def salvage(path: Path, tables: str) -> None:
    """Where a store was noted as suspect and is damaged, make it anew, and set the old one aside, with a warning.

    What was spent is what its entries say, or what its answers cost where that is more: no cap is exceeded.

    Raises:
        FlywheelError: another process has it open, or nothing in it can be read.
    """
    if not _note(path).exists():
        return
    if _is_whole(path):
        return _note(path).unlink()
    made, aside = path.with_name(path.name + ".new"), _fresh(path)
    made.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as old, closing(sqlite3.connect(made)) as new:
        new.executescript(tables)
        old.execute("PRAGMA writable_schema=ON")  # reads on where pages are gone
        read, kept = _copied(old, new)
        _count_again(new)
        new.commit()
    if not read:
        made.unlink()
        _note(path).unlink()
        raise FlywheelError(f"{path}: the store of paid answers cannot be read at all; {WAY_OUT}")
    for end in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + end)).exists():
            part.rename(aside.with_name(aside.name + end))
    made.rename(path)
    _note(path).unlink()
    warnings.warn(
        f"{path} was damaged: it is set aside as {aside.name}, and made anew of the {kept:,} answers that can be read",
        stacklevel=3,
    )


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")


def _fresh(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in range(10**6))
    return next(name for name in names if not name.exists())


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as db:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            whole = db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
            there = any(name == "answers" for name, _ in _tables(db))
            rows = db.execute("SELECT reply, request FROM answers") if there else ()
            return whole and all(map(_is_json, rows))
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise FlywheelError(f"{path}: it was damaged, and another process has it open: end that first") from None
        return False


def _is_json(texts: tuple[str, ...]) -> bool:
    try:
        return all(isinstance(orjson.loads(text), dict) for text in texts)
    except ValueError:
        return False


def _copied(old: sqlite3.Connection, new: sqlite3.Connection) -> tuple[int, int]:
    """Copy all that can be read; gives how many tables there are, and how many answers."""
    kept = 0
    tables = _tables(old)
    for table, sql in tables:
        new.execute(sql.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1))
        for row in _rows(old, table, "WITHOUT ROWID" not in sql):
            if table != "answers" or _is_json((str(row[2]), str(row[8]))):
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({','.join('?' * len(row))})", row)
                kept += table == "answers"
    return len(tables), kept


def _tables(db: sqlite3.Connection) -> list[tuple[str, str]]:
    with suppress(sqlite3.Error):
        return db.execute("SELECT name, sql FROM sqlite_master WHERE type='table' AND sql LIKE 'CREATE%'").fetchall()
    return []


def _rows(db: sqlite3.Connection, table: str, numbered: bool) -> Iterator[tuple[object, ...]]:
    """The rows of a table, past pages that cannot be read. A table without numbers is small: all of it, or nothing."""
    if not numbered:
        with suppress(sqlite3.Error):
            yield from db.execute(f"SELECT * FROM {table}").fetchmany(MOST)
        return
    last, step = 0, 1
    while step <= FURTHEST:
        try:
            for number, *row in db.execute(f"SELECT rowid, * FROM {table} WHERE rowid>? ORDER BY rowid", (last,)):
                if number <= last:
                    raise sqlite3.DatabaseError("pages that lead back to each other")
                last, step = number, 1
                yield tuple(row)
            return
        except sqlite3.Error:
            last, step = last + step, 2 * step


def _count_again(db: sqlite3.Connection) -> None:
    """Raise what was spent to what the answers, failures and calls that may have been paid add up to."""
    paid = "SELECT scope, 1 AS calls, tokens_in, tokens_out, pico FROM {}"
    settled = paid.format("answers") + " UNION ALL " + paid.format("failures")
    for maybe, source in ((0, settled), (1, paid.format("maybe_paid"))):
        db.execute(
            "INSERT INTO spent SELECT scope, ?, sum(calls), sum(tokens_in), sum(tokens_out), sum(pico)"
            f" FROM ({source}) WHERE true GROUP BY scope ON CONFLICT (scope, maybe) DO UPDATE SET"
            " calls=max(calls, excluded.calls), tokens_in=max(tokens_in, excluded.tokens_in),"
            " tokens_out=max(tokens_out, excluded.tokens_out), pico=max(pico, excluded.pico)",
            (maybe,),
        )
