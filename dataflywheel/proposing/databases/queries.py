"""Queries that nobody trusts, run on a copy of a database in the jail."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.proposing.databases.copied import Copied
from dataflywheel.proposing.jail import reasons
from dataflywheel.proposing.jail.query import DATABASE, RESULTS
from dataflywheel.proposing.limited_process import EARLY, SLOW, Limits, Process

NOT_RUN = "the query does not run"
SEVERAL = "more than one statement"
CHANGES = "the query does more than read"
MANY = "the result has too many rows"
LARGE = "the result is too large"
STEPS = "the query takes too many steps"
EMPTY = "no query"
WORDS = {
    "error": NOT_RUN,
    "several": SEVERAL,
    "denied": CHANGES,
    "many": MANY,
    "large": LARGE,
    "steps": STEPS,
    "seconds": SLOW,
    "memory": reasons.MEMORY,
    "nothing": EMPTY,
}
"""Why a query gave no result: the closed list."""
UNDECIDED = frozenset((SLOW, EARLY, reasons.MEMORY))
"""Those that speak of the machine as well as of the query."""


class QueryLimits(BaseModel):
    """What one query may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(default=20_000_000, ge=1000)
    """Steps of SQLite's machine: the same on every computer."""
    rows: int = Field(default=10_000, ge=1)
    """Rows of the result."""
    seconds: float = Field(default=10.0, gt=0, le=600)
    """Wall-clock time."""
    memory_mb: int = Field(default=1024, ge=128)
    """Address space in units of 2^20 bytes."""


RESULT_BYTES = 8 << 20
FILE_MB = 128
"""Of what SQLite puts aside while it sorts."""


@dataclass(frozen=True)
class Result:
    """What a query gave, or in `reason` why it gave nothing; `detail`: what SQLite said."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    reason: str = ""
    detail: str = ""


_Way = tuple[str, bool]
"""A query, and whether rows whose order nothing says come the other way round."""


def run_queries(database: Copied, queries: Sequence[str], limits: QueryLimits | None = None) -> list[Result]:
    """What each query gives, in order; equal ones are run once."""
    return _run(database, [(query, False) for query in queries], limits)


def run_both_ways(
    database: Copied, queries: Sequence[str], limits: QueryLimits | None = None
) -> list[tuple[Result, Result]]:
    """What each query gives, and what it gives where rows whose order nothing says come the other way round: a query
    whose result hangs on that gives another one."""
    found = _run(database, [(query, reverse) for query in queries for reverse in (False, True)], limits)
    return list(zip(found[::2], found[1::2], strict=True))


def _run(database: Copied, ways: Sequence[_Way], limits: QueryLimits | None) -> list[Result]:
    each = list(dict.fromkeys(ways))
    found = {way: Result(reason=NOT_RUN, detail="no text of Unicode") for way in each if not _is_text(way[0])}
    while left := [way for way in each if way not in found]:
        found |= _batch(database, left, limits or QueryLimits())
    return [found[way] for way in ways]


def _is_text(query: str) -> bool:
    """Lone halves of a pair are no text."""
    try:
        return bool(query.encode()) or not query
    except UnicodeEncodeError:
        return False


def _batch(database: Copied, ways: Sequence[_Way], limits: QueryLimits) -> dict[_Way, Result]:
    """Results of the first queries, up to one at which the process ended; at least one."""
    room = Limits(seconds=min(600.0, 5 + limits.seconds * len(ways)), memory_mb=limits.memory_mb, file_mb=FILE_MB)
    job = {
        "role": "query", "token": secrets.token_hex(16), "queries": list(ways), "steps": limits.steps,
        "query_seconds": limits.seconds, "rows": limits.rows, "result": RESULT_BYTES, "longest": _longest(database),
    }  # fmt: skip
    with ExitStack() as stack:
        process = Process(stack, job, room, files={DATABASE: database.data})
        ended = process.wait(room.seconds)
        lines = _lines(process.home / RESULTS)
    found = {way: _result(line) for way, line in zip(ways, lines, strict=False)}
    if len(lines) < len(ways):
        slow = ended.code is None or ended.code == -signal.SIGXCPU
        killed = reasons.MEMORY if ended.code == -signal.SIGKILL else EARLY
        found[ways[len(lines)]] = Result(reason=SLOW if slow else killed)
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines of what the process wrote."""
    if not path.is_file() or os.path.islink(path):
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _result(line: dict[str, Any]) -> Result:
    if "why" in line:
        return Result(reason=WORDS[line["why"]], detail=str(line.get("said", "")))
    rows = tuple(tuple(bytes.fromhex(c["bytes"]) if isinstance(c, dict) else c for c in row) for row in line["rows"])
    return Result(tuple(line["columns"]), rows)


def _longest(database: Copied) -> int:
    """No value is longer than the file that holds it; SQLite's own limit stands above."""
    return min(len(database.data), 1_000_000_000) if len(database.data) > (1 << 20) else 0
