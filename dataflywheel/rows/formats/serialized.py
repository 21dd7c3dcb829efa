"""Lists and objects that were written as text on their way: by JSON, by Python, by NumPy, or column by column."""

from __future__ import annotations

import ast
import re
from typing import Any

import orjson


def in_rows(value: Any) -> Any:
    """A list of turns that was written as one object of columns (a `Sequence` of the datasets library); else itself."""
    if not isinstance(value, dict) or not value:
        return value
    columns = [column for column in value.values() if isinstance(column, list)]
    if len(columns) != len(value) or len({len(column) for column in columns}) != 1:
        return value
    return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]


def in_text(value: str) -> Any:
    """A list of turns that was written as text, by JSON, Python or NumPy; the text itself where it is none of them."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        pass
    for written in (value.strip(), without_numpy(value)):
        try:
            return ast.literal_eval(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return value


BEGINNINGS = frozenset("[{a \n\r\t")
TURNS = re.compile(r"\s*(?:array\()?[\[{][\s\[]*\{?\s*['\"](?:role|from|content|value)['\"]\s*:")
"""How a turn, or a list of turns, begins where it was written as text."""


def turns_in_text(value: Any) -> Any:
    """The turn or the list of turns that a text is; None where it is anything else."""
    if not isinstance(value, str) or value[:1] not in BEGINNINGS or not TURNS.match(value):
        return None
    found = in_text(value)
    held = [found] if isinstance(found, dict) else found
    if not isinstance(held, list) or not all(isinstance(turn, dict) and is_turn(turn) for turn in held):
        return None
    return found


def is_turn(value: dict[str, Any]) -> bool:
    """Whether an object says who speaks and what."""
    return any(keys <= value.keys() for keys in ({"role", "content"}, {"from", "value"}, {"role", "tool_calls"}))


NUMPY = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\}\s+(?=\{)|\barray\(|,\s*dtype=\w+\)""", re.DOTALL)


def without_numpy(value: str) -> str:
    """A list as NumPy shows an array of objects (which pandas writes into csv), as Python would.

    >>> without_numpy("array([{'a': 1},\\n  {'a': '} {'}], dtype=object)"), without_numpy("[{'a': 1}\\n {'a': 2}]")
    ("[{'a': 1},\\n  {'a': '} {'}]", "[{'a': 1}, {'a': 2}]")
    """
    return NUMPY.sub(lambda found: found[1] or ("}, " if found[0][0] == "}" else ""), value).strip()
