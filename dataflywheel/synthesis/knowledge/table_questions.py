"""Questions on tables on their way: what they are drawn from, and the rows that they become."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import orjson

from dataflywheel.models.endpoint.request import Reply
from dataflywheel.proposing.databases.copied import Copied, Table, lines_of
from dataflywheel.proposing.databases.queries import Result
from dataflywheel.proposing.databases.results import told
from dataflywheel.rows.formats.tool_calls import canonical_calls
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message

KINDS = (
    "a value of one line, which the question describes",
    "how many lines fulfil two conditions",
    "a sum, a mean or another value computed of some lines",
    "the largest or the smallest of something, or who has it",
    "what differs between two groups, or a value for each of a few groups",
)
LINES = 5
"""Lines of the table that are shown."""
TOOL = "sql"
_NO_WORD = re.compile(r"_|[^\W\d]\d|\d[^\W\d]|[a-z][A-Z]")


@dataclass
class Draft:
    """One question: what it is drawn from, what was written, and what the database gave."""

    tables: list[Table]
    columns: list[str]
    kind: str
    shown: str
    """The tables, as they are shown."""
    material: dict[str, str]
    prompt: str = ""
    query: str = ""
    result: Result = field(default_factory=Result)
    ordered: bool = False
    """Whether the order of the answer's rows counts."""
    agreed: bool = False
    tries: int = 0
    why: str = ""
    """Why no row comes of it."""
    replies: list[Reply] = field(default_factory=list)


def drafts(
    database: Copied, count: int, most: int, kinds: Sequence[str], longest: int, rng: np.random.Generator
) -> list[Draft]:
    """So many draws: a table that has rows, some of its columns, some of its lines, and a kind of question."""
    by_name = {table.name: table for table in database.tables}
    there = [table for table in database.tables if table.rows] or list(database.tables)
    drawn, places = [], []
    for _ in range(count):
        table = there[int(rng.integers(len(there)))]
        tables = [table]
        linked = [by_name[name] for name in table.links if name in by_name and name != table.name]
        if linked and rng.random() < 0.5:
            tables.append(linked[int(rng.integers(len(linked)))])
        columns = [f"{t.name}.{name}" for t in tables for name, _ in t.columns]
        some = sorted(rng.permutation(len(columns))[: int(rng.integers(1, most + 1))].tolist())
        begin = int(rng.integers(max(1, table.rows - LINES + 1)))
        drawn.append((tables, [columns[place] for place in some], kinds[int(rng.integers(len(kinds)))]))
        places.append((table.name, begin))
    whole, made = database.schema, []
    for (tables, columns, kind), lines in zip(drawn, lines_of(database, places, LINES), strict=True):
        shown = whole if len(whole) <= longest else "\n\n".join(table.told for table in tables)[:longest]
        material = {"tables": shown, "lines": told([name for name, _ in tables[0].columns], lines)[:longest]}
        material |= {"columns": "\n".join(columns), "kind of question": kind}
        made.append(Draft(tables, columns, kind, shown, material))
    return made


def bare(text: str) -> str:
    """A question or query without blanks, capitals and its last sign."""
    return " ".join(text.casefold().split()).rstrip(" ?.!;")


def names_tables(text: str, tables: Sequence[Table]) -> str:
    """The name of a table or column that a question has and that is no plain word (`purchase_2`, `movieId`), or ""."""
    names = [name for table in tables for name in (table.name, *(column for column, _ in table.columns))]
    coded = (name for name in names if _NO_WORD.search(name) and " " not in name)
    return next((name for name in coded if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)), "")


def row_of(draft: Draft, shape: Literal["call", "query", "result"], method: str, round: int) -> Row:
    """The question as a row, with the query and what it gave beside it."""
    answer = told(draft.result.columns, draft.result.rows)
    tools = None
    if shape == "call":
        tools = orjson.dumps([_tool(draft.shown)]).decode()
        calls = canonical_calls([{"name": TOOL, "arguments": {"query": draft.query}}], "answer")
        turns = [
            message("user", draft.prompt),
            message("assistant", "", calls),
            message("tool", answer, name=TOOL),
            message("assistant", answer),
        ]
    elif shape == "query":
        turns = [
            message("system", draft.shown),
            message("user", draft.prompt),
            message("assistant", f"```sql\n{draft.query}\n```"),
        ]
    else:
        turns = [message("user", draft.prompt), message("assistant", answer)]
    extra = {"query": draft.query, "kind": draft.kind}
    return make_row(turns, tools=tools, source=method, extra=extra, made_by=method, round=round)


def _tool(tables: str) -> dict[str, object]:
    query = {"type": "string", "description": "One SELECT statement of SQLite."}
    return {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": f"Reads from a database and gives the rows. Its tables:\n{tables}",
            "parameters": {"type": "object", "properties": {"query": query}, "required": ["query"]},
        },
    }
