"""The plain table that verbs print."""

from __future__ import annotations

from typing import Any


def number_table(first: str, *numbers: str) -> Any:
    """A table without lines: a column of names, then columns of numbers, right-aligned."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
