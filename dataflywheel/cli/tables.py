"""The plain table that verbs print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GAP = 2
"""Letters between two columns."""


def number_table(first: str, *numbers: str) -> Any:
    """A table without lines: a column of names, then columns of numbers, right-aligned."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def fitting(columns: Mapping[str, Sequence[str]], width: int, least: Sequence[str]) -> dict[str, Sequence[str]]:
    """The columns whose lines have room in so many letters: of `least` those go that must, in this order, and then the
    first column is cut.

    >>> fitting({"run": ["first"], "state": ["done"], "size": ["12 kB"]}, 12, ["size", "state"])
    {'run': ['first'], 'state': ['done']}
    >>> fitting({"run": ["the first one"], "state": ["done"]}, 16, [])
    {'run': ['the firs…'], 'state': ['done']}
    """
    from rich.cells import cell_len
    from rich.text import Text

    def wide() -> int:
        return sum(max(map(cell_len, (one, *cells))) + GAP for one, cells in here.items()) - GAP

    here = dict(columns)
    for name in least:
        if wide() > width:
            here.pop(name, None)
    if wide() > width:
        first, cells = next(iter(here.items()))
        room = max(1, max(map(cell_len, cells)) - (wide() - width))
        cut = [Text(cell) for cell in cells]
        for cell in cut:
            cell.truncate(room, overflow="ellipsis")
        here[first] = [cell.plain for cell in cut]
    return here
