"""The SQL that an answer holds, and the query or result that a row states for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.rows.text import fields_of
from dataflywheel.signals.wording.fences import blocks

LANGUAGES = frozenset(("sql", "sqlite", "sqlite3", "postgresql", "postgres", "mysql", "tsql", "plsql"))
MAX_ANSWER = 200_000
QUERIES = ("query", "sql", "gold_sql", "gold_query", "reference_query", "reference_sql")
RESULTS = ("result", "results", "rows", "gold_result", "expected_result")
_SPACE = r"(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)"
_READS = re.compile(rf"{_SPACE}*\(?{_SPACE}*(?:select|with|values)\b", re.IGNORECASE)
_ANY = re.compile(
    rf"{_SPACE}*(?:select|with|values|insert|update|delete|replace|create|drop|alter|pragma|attach|explain|vacuum|"
    r"begin|grant|truncate|merge)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\s*(?:sql|query|answer)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Stated:
    """What a row says of the right answer."""

    query: str = ""
    result: Any = None
    has_result: bool = False

    @property
    def anything(self) -> bool:
        """Whether it says anything."""
        return bool(self.query) or self.has_result


def sql_of(answer: str) -> list[str]:
    """The different SQL statements of an answer, in order: of its fenced blocks marked as SQL, else of unmarked ones
    that begin like it, else the whole answer where that does.

    >>> sql_of("It is\\n```sql\\nSELECT 1;\\n```")
    ['SELECT 1']
    >>> sql_of("SELECT 2"), sql_of("I would count them.")
    (['SELECT 2'], [])
    """
    if len(answer) > MAX_ANSWER:
        return []
    fenced = blocks(answer)
    marked = [block.body for block in fenced if block.language in LANGUAGES]
    bare = [block.body for block in fenced if not block.language and _ANY.match(block.body)]
    whole = _LABEL.sub("", answer.strip().strip("`"), count=1)
    found = marked or bare or ([whole] if not fenced and _ANY.match(whole) else [])
    cleaned = [text for body in found if (text := body.strip().rstrip(";").strip())]
    return list({" ".join(text.split()): text for text in cleaned}.values())


def is_query(text: Any) -> bool:
    """Whether a text is a query, and not a value."""
    return isinstance(text, str) and bool(_READS.match(text))


def stated(facts: Mapping[str, Any], row: Mapping[str, Any], before: str = "") -> Stated:
    """The right query and result: of a proposal's facts, of the row's own fields, of its label, and of the answer that
    stood `before`, the surest first."""
    extra = fields_of(row)
    known = [facts.get(name) for name in (*QUERIES, "gold")]
    known += [extra.get(name) for name in QUERIES]
    known += [row.get("label"), *sql_of(before)[-1:]]
    query = next((str(text).strip().rstrip(";") for text in known if is_query(text)), "")
    for held in (*(facts.get(name) for name in RESULTS), *(extra.get(name) for name in RESULTS)):
        if held is not None:
            return Stated(query, _read(held), True)
    label = row.get("label")
    if query or label in (None, ""):
        return Stated(query)
    return Stated("", _read(label), True)


def _read(held: Any) -> Any:
    """A result that was written down as JSON, or a value as it stands."""
    if not isinstance(held, str):
        return held
    try:
        return orjson.loads(held)
    except orjson.JSONDecodeError:
        return held
