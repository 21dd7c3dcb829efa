"""Queries on a copy of a database, inside the jail: only reads, and within limits."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

DATABASE, RESULTS = "copy.db", "results.jsonl"
"""In the jail's own directory: what is asked, and a line for each query that was run."""
STEPS = 1000
"""Steps of SQLite's machine between two looks at the clock."""
LONGEST = 1 << 20
"""Bytes of one value, and more only where the database itself holds longer ones."""
_FORBIDDEN = frozenset((
    "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "random", "randomblob", "zeroblob",
    "sqlite_compileoption_get", "sqlite_compileoption_used", "sqlite_source_id", "sqlite_version", "changes",
    "total_changes", "last_insert_rowid",
))  # fmt: skip
_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_FUNCTION = 31
_VERSION = (19, "data_version")
"""The pragma by which a full-text table sees whether it is up to date."""
_EXPLAINS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)*explain\b", re.IGNORECASE)
_FULL = ("disk I/O", "disk is full")
"""How errors read where what SQLite puts aside has no more room."""


def run_all(job: dict[str, Any]) -> dict[str, Any]:
    """Run the queries of a job in order, and write what each came to as soon as it is known."""
    with open(RESULTS, "w", encoding="utf-8") as out:
        for query, reverse in job["queries"]:
            try:
                line = json.dumps(_bounded(_run(query, reverse, job), job["result"]))
            except MemoryError:
                line = json.dumps({"why": "memory"})
            out.write(line + "\n")
            out.flush()
    return {}


def _bounded(found: dict[str, Any], most: int) -> dict[str, Any]:
    size = sum(len(str(cell)) for row in found.get("rows", ()) for cell in row)
    return {"why": "large"} if size > most else found


def _run(query: str, reverse: bool, job: dict[str, Any]) -> dict[str, Any]:
    """`columns` and `rows`, or `why` there are none, with what SQLite said of it."""
    if _EXPLAINS.match(query):
        return {"why": "denied", "said": "no reading"}
    state = {"denied": "", "slow": ""}
    database = sqlite3.connect(f"file:{DATABASE}?mode=ro&immutable=1", uri=True, isolation_level=None)
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for limit, value in (
        (sqlite3.SQLITE_LIMIT_LENGTH, max(LONGEST, job["longest"])),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    ):
        database.setlimit(limit, value)
    database.execute("PRAGMA trusted_schema = OFF")
    _opened(database)
    if reverse:
        database.execute("PRAGMA reverse_unordered_selects = ON")
    database.set_authorizer(_authorizer(state))
    database.set_progress_handler(_clock(state, job["steps"], job["query_seconds"]), STEPS)
    try:
        asked = database.execute(query)
        rows = asked.fetchmany(job["rows"] + 1)
        columns = [str(column[0]) for column in asked.description or ()]
    except MemoryError:
        return {"why": "memory"}
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if state["denied"] or state["slow"]:
            return {"why": state["slow"] or "denied", "said": state["denied"]}
        if any(sign in str(error) for sign in _FULL):
            return {"why": "large"}
        return {"why": "several" if "one statement" in str(error) else "error", "said": str(error)[:200]}
    finally:
        database.close()
    if not columns:
        return {"why": "nothing"}
    if len(rows) > job["rows"]:
        return {"why": "many"}
    return {"columns": columns, "rows": [[_plain(cell) for cell in row] for row in rows]}


def _opened(database: sqlite3.Connection) -> None:
    """Full-text tables and their like set themselves up when they are first read, by more than reading."""
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'create virtual%'").fetchall():
        quoted = str(name).replace('"', '""')
        with suppress(sqlite3.Error):
            database.execute(f'SELECT * FROM "{quoted}" LIMIT 0')


def _authorizer(state: dict[str, str]) -> Callable[..., int]:
    def allows(act: int, first: str | None, second: str | None, *_: str | None) -> int:
        if (
            (act, first) == _VERSION
            or act in _ALLOWED
            or (act == _FUNCTION and (second or "").lower() not in _FORBIDDEN)
        ):
            return sqlite3.SQLITE_OK
        state["denied"] = state["denied"] or (f"function {second}" if act == _FUNCTION else "no reading")
        return sqlite3.SQLITE_DENY

    return allows


def _clock(state: dict[str, str], steps: int, seconds: float) -> Callable[[], int]:
    left, end = [steps // STEPS], time.monotonic() + seconds

    def goes_on() -> int:
        left[0] -= 1
        state["slow"] = "steps" if left[0] < 0 else "seconds" if time.monotonic() > end else ""
        return int(bool(state["slow"]))

    return goes_on


def _plain(cell: Any) -> Any:
    return {"bytes": cell.hex()} if isinstance(cell, bytes) else cell
