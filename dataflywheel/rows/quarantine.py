"""What could not become a row: where it was, what is wrong with it, and how it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

SHOWN = 200


@dataclass(frozen=True)
class Quarantined:
    """One line or record that was set aside.

    `line` counts from 1: the line in text files, the record in others; 0 means the file as a whole. `text` is its
    beginning, at most 200 characters.
    """

    file: str
    line: int
    field: str
    reason: str
    text: str

    def as_json(self) -> bytes:
        return orjson.dumps(asdict(self)) + b"\n"


def first_reason(entry: Mapping[str, Any]) -> str:
    """One entry as a sentence: its line where there is one, its field, and why it was set aside.

    >>> first_reason({"line": 3, "field": "output", "reason": "expected text, got null"})
    'line 3, output: expected text, got null'
    """
    line = f"line {entry['line']}" if entry["line"] else ""
    place = ", ".join(filter(None, (line, entry["field"])))
    return f"{place}: {entry['reason']}" if place else str(entry["reason"])


def beginning(value: object) -> str:
    """The first characters of a line or a record, bytes that are not UTF-8 shown as replacement characters."""
    if isinstance(value, bytes):
        return value[: 4 * SHOWN].decode("utf-8", errors="replace")[:SHOWN]
    if not isinstance(value, str):
        try:
            value = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError:  # text that is not UTF-8
            value = str(value)
    return value[:SHOWN].encode("utf-8", errors="replace").decode()


def reason_class(reason: str) -> str:
    """A reason without what is about one line alone; a proposed mapping stays, since it is the way out."""
    return reason if "columns: {" in reason else reason.split(":")[0]
