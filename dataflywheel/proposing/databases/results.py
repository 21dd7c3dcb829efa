"""Whether two results of queries are the same rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dataflywheel.proposing.databases.queries import Result
from dataflywheel.rows.gaps import is_number

Rows = Sequence[Sequence[Any]]
TOLERANCE = 1e-6
PAIRED = 500
"""Rows left over that are paired one by one, where rounding puts them in another order."""
_TOP = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def same_rows(one: Rows, other: Rows, ordered: bool, tolerance: float = TOLERANCE, loose: bool = False) -> bool:
    """Whether both hold equal rows, each as often, in the same order where it counts.

    Columns are compared by their place and not by their name. Numbers are equal within the relative `tolerance`, NULL
    equals NULL, texts count with their capitals and blanks. `loose`: a text that is a number equals the number, as
    where a result was written down as text.

    >>> same_rows([(1, "a"), (2, None)], [(2.0, None), (1, "a")], ordered=False)
    True
    >>> same_rows([(1,), (2,)], [(2,), (1,)], ordered=True), same_rows([(1,)], [(1,), (1,)], ordered=False)
    (False, False)
    >>> same_rows([("1",)], [(1,)], ordered=False), same_rows([("1",)], [(1,)], ordered=False, loose=True)
    (False, True)
    """
    if len(one) != len(other):
        return False
    if loose:
        one, other = ([[_loose(cell) for cell in row] for row in rows] for rows in (one, other))
    if ordered:
        return all(_same_row(a, b, tolerance) for a, b in zip(one, other, strict=True))
    left, right = Counter(map(tuple, one)), Counter(map(tuple, other))  # equal numbers are equal keys
    first = sorted((left - right).elements(), key=_key)
    second = sorted((right - left).elements(), key=_key)
    if all(_same_row(a, b, tolerance) for a, b in zip(first, second, strict=True)):
        return True
    return len(first) <= PAIRED and _paired(first, second, tolerance)


def _paired(first: Rows, second: Rows, tolerance: float) -> bool:
    left = list(second)
    for row in first:
        place = next((i for i, other in enumerate(left) if _same_row(row, other, tolerance)), None)
        if place is None:
            return False
        del left[place]
    return True


def _same_row(one: Sequence[Any], other: Sequence[Any], tolerance: float) -> bool:
    return len(one) == len(other) and all(_same(a, b, tolerance) for a, b in zip(one, other, strict=True))


def _same(one: Any, other: Any, tolerance: float) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if not numbers or one == other:
        return type(one) is type(other) and bool(one == other) if not numbers else True
    if isinstance(one, int) and isinstance(other, int):
        return False  # whole numbers are exact
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-9)


def _loose(cell: Any) -> Any:
    if isinstance(cell, bool):
        return int(cell)
    if not isinstance(cell, str) or not is_number(cell.strip()):
        return cell
    text = cell.strip().replace(",", "")
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


def _key(row: Sequence[Any]) -> tuple[tuple[int, Any], ...]:
    """An order of rows of any values, as SQLite has it: NULL, numbers, texts, bytes."""
    return tuple(
        (0, 0) if cell is None else (1, cell) if isinstance(cell, int | float) else (2 + isinstance(cell, bytes), cell)
        for cell in row
    )


def orders(query: str) -> bool:
    """Whether the query itself, and not one inside it, says in which order its rows come.

    >>> orders("SELECT a FROM t ORDER BY a"), orders("SELECT a FROM (SELECT a FROM t ORDER BY a)")
    (True, False)
    >>> orders("SELECT 'order by' FROM t -- order by a")
    False
    """
    depth, bare = 0, _TOP.sub(" ", query)
    for sign in re.finditer(r"\(|\)|\border\s+by\b", bare, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0 and sign[0] not in "()":
            return True
    return False


def fits(stated: Any, result: Result, ordered: bool, tolerance: float = TOLERANCE) -> bool:
    """Whether a result is the one that a row states: a list of rows, each a list or an object; a list of values for a
    single column or a single row; or one value for one cell."""
    if not isinstance(stated, list):
        stated = [list(stated.values())] if isinstance(stated, dict) else [[stated]]
    if stated and not any(isinstance(row, list | dict) for row in stated):
        column = [[cell] for cell in stated]
        if len(result.rows) == 1 and len(result.columns) == len(stated) > 1:
            column = [stated]
        return same_rows(column, result.rows, ordered, tolerance, loose=True)
    rows = [list(row.values()) if isinstance(row, dict) else row if isinstance(row, list) else [row] for row in stated]
    if any(isinstance(cell, list | dict) for row in rows for cell in row):
        return False
    return same_rows(rows, result.rows, ordered, tolerance, loose=True)


def told(columns: Sequence[str], rows: Rows) -> str:
    """A result as a text: one value alone, one column with a value a line, else a line of names and one for each row.

    >>> print(told(["name", "n"], [("a", 1), (None, 0.5)]))
    name | n
    a | 1
    NULL | 0.5
    """
    lines = [" | ".join(_shown(cell) for cell in row) for row in rows]
    return "\n".join(lines if len(columns) == 1 else [" | ".join(columns), *lines])


def _shown(cell: Any) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, bytes):
        return cell.hex()
    return format(cell, ".10g") if isinstance(cell, float) else " ".join(str(cell).split())
