"""Values of a record by a path: `q`, `data.question`, `choices[0].message.content`, through JSON in text as well."""

from __future__ import annotations

import re
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import Record

STEP = re.compile(r"[^.\[\]]+|\[-?\d+\]")
MISSING: Any = object()


def value_at(record: Record, path: str) -> Any:
    """What stands at a path, `MISSING` where nothing does; a key with dots in its name comes first.

    >>> value_at({"a": [{"b": "{\\"c\\": 1}"}]}, "a[0].b.c")
    1
    """
    if path in record:
        return record[path]
    at: Any = record
    for step in STEP.findall(path):
        at = opened(at)
        if step[0] == "[" and isinstance(at, list):
            position = int(step[1:-1])
            at = at[position] if -len(at) <= position < len(at) else MISSING
        else:
            at = at.get(step, MISSING) if isinstance(at, dict) else MISSING
        if at is MISSING:
            return MISSING
    return at


def opened(value: Any) -> Any:
    """An object or a list that is written as JSON text, as a value."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def without(record: Record, path: str) -> Record:
    """A copy of a record without what stands at a path of objects; what a list or a text holds stays in it."""
    if path in record:
        return {key: value for key, value in record.items() if key != path}
    first, dot, rest = path.partition(".")
    inner = record.get(first)
    if not dot or not isinstance(inner, dict) or value_at(inner, rest) is MISSING:
        return record
    left = without(inner, rest)
    return {key: left if key == first else value for key, value in record.items() if key != first or left}


def paths_of(record: Record, depth: int = 2) -> list[str]:
    """The paths of a record's fields, those of objects within it too."""
    found = []
    for key, value in record.items():
        found.append(key)
        if isinstance(value, dict) and depth > 1:
            found += [f"{key}.{inner}" for inner in paths_of(value, depth - 1)]
    return found
