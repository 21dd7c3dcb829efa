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
SELDOM = 0.02
"""Of the rows that hold the value, the part in which another one may stand elsewhere."""
BEHIND = re.compile(r"(.+?)[\s,;/]+([^\s,;/]+)")


def moved_back(table: Mapping[str, Column]) -> list[Change]:
    """Takes the last word of a cell into the column that lacks it, where that word is a value of that column.

    Both cells change, where the rest is a value of its own column elsewhere: `Vitamin C` stays where nothing else is
    `Vitamin`. It must be so in at least half of the rows that lack the value and hold something here, and in five at
    least, and hardly where the value is there and another one: then the word is part of a name. The confidence is the
    share of the rows that end in such a word whose rest is a value elsewhere.
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


def _in_names(column: Column, lacking: Column, values: set[str]) -> float:
    """Of the rows that hold the value, the share whose cell here ends in another one."""
    there = [i for i, gone in enumerate(lacking.missing) if not gone and not column.missing[i]]
    ends = [(lacking.texts[i], str(end[2])) for i in there if (end := BEHIND.fullmatch(column.texts[i]))]
    return float(sum(end in values and end != own for own, end in ends) / max(1, len(there)))


def _between(column: Column, lacking: Column, empty: list[int], values: set[str]) -> list[Change]:
    held = [i for i in empty if not column.missing[i]]
    read = {i: match for i in held if (match := BEHIND.fullmatch(column.texts[i])) and match[2] in values}
    if len(read) < FEWEST or len(read) < OFTEN * len(held) or _in_names(column, lacking, values) > SELDOM:
        return []
    seen = Counter(column.texts)
    known = {i: match for i, match in read.items() if seen[match[1]]}
    right = len(known) / len(read)
    why = f"held the value of {lacking.name}, which was missing"
    return [
        change
        for i, match in known.items()
        for change in (
            Change(i, column.name, column.values[i], match[1], why, right),
            Change(i, lacking.name, lacking.values[i], match[2], f"stood in {column.name}", right),
        )
    ]
