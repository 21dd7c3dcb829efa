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


def run_queries(
    database: Copied, queries: Sequence[str], limits: QueryLimits | None = None, reverse: bool = False
) -> list[Result]:
    """What each query gives, in order; equal ones are run once. `reverse`: rows whose order nothing says come the other
    way round, so that a query whose result depends on it gives another one."""
    each = list(dict.fromkeys(queries))
    found: dict[str, Result] = {}
    while left := [query for query in each if query not in found]:
        found |= _batch(database, left, limits or QueryLimits(), reverse)
    return [found[query] for query in queries]


def _batch(database: Copied, queries: Sequence[str], limits: QueryLimits, reverse: bool) -> dict[str, Result]:
    """Results of the first queries, up to one at which the process ended; at least one."""
    room = Limits(seconds=min(600.0, 5 + limits.seconds * len(queries)), memory_mb=limits.memory_mb, file_mb=FILE_MB)
    job = {
        "role": "query", "token": secrets.token_hex(16), "queries": list(queries), "reverse": reverse,
        "steps": limits.steps, "query_seconds": limits.seconds, "rows": limits.rows, "result": RESULT_BYTES,
        "longest": _longest(database),
    }  # fmt: skip
    try:
        json.dumps(job, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # lone halves of a pair are no text
        return {query: _apart(database, query, limits, reverse) for query in queries}
    with ExitStack() as stack:
        process = Process(stack, job, room, files={DATABASE: database.data})
        ended = process.wait(room.seconds)
        lines = _lines(process.home / RESULTS)
    found = {query: _result(line) for query, line in zip(queries, lines, strict=False)}
    if len(lines) < len(queries):
        slow = ended.code is None or ended.code == -signal.SIGXCPU
        killed = reasons.MEMORY if ended.code == -signal.SIGKILL else EARLY
        found[queries[len(lines)]] = Result(reason=SLOW if slow else killed)
    return found


def _apart(database: Copied, query: str, limits: QueryLimits, reverse: bool) -> Result:
    try:
        query.encode()
    except UnicodeEncodeError:
        return Result(reason=NOT_RUN, detail="no text of Unicode")
    return run_queries(database, [query], limits, reverse)[0]


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
