"""Cells that hold the value of another column behind their own: `San Francisco CA`, and nothing under `state`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from dataflywheel.enhancement.tables.columns import Change, Column

FEWEST = 5
"""Rows that must show it."""
FEW_VALUES = 0.2
"""The column that lacks the value has at most so many different values a row: it is one of kinds, not of names."""
OFTEN = 0.5
"""Of the rows that lack the value, the part that must have it elsewhere."""
BEHIND = re.compile(r"(.+?)[\s,;/]+([^\s,;/]+)")


def moved_back(table: Mapping[str, Column]) -> list[Change]:
    """Takes the last word of a cell into the column that lacks it, where that word is a value of that column.

    Both cells change. It must be so in at least half of the rows that lack the value and hold something here, and in
    five at least. The confidence is the share of these rows whose rest is a value of its own column elsewhere.
    """
    found = []
    for lacking in table.values():
        empty = [i for i, gone in enumerate(lacking.missing) if gone]
        values = {lacking.texts[i] for i in lacking.firsts}
        if len(empty) < FEWEST or lacking.numeric or len(values) > FEW_VALUES * len(lacking.texts):
            continue
        for column in table.values():
            if column.name != lacking.name:
                found += _between(column, lacking, empty, values)
    return found


def _between(column: Column, lacking: Column, empty: list[int], values: set[str]) -> list[Change]:
    held = [i for i in empty if not column.missing[i]]
    read = {i: match for i in held if (match := BEHIND.fullmatch(column.texts[i])) and match[2] in values}
    if len(read) < FEWEST or len(read) < OFTEN * len(held):
        return []
    seen = Counter(column.texts)
    right = sum(seen[match[1]] > 0 for match in read.values()) / len(read)
    why = f"held the value of {lacking.name}, which was missing"
    return [
        change
        for i, match in read.items()
        for change in (
            Change(i, column.name, column.values[i], match[1], why, right),
            Change(i, lacking.name, lacking.values[i], match[2], f"stood in {column.name}", right),
        )
    ]
