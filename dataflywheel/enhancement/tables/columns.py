"""A table by its columns: every cell as the text by which cells are compared, and as a number for arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.rows.gaps import MOSTLY, NAUGHT, SIGNS, WORDS, is_zero
from dataflywheel.rows.gaps import is_number as is_number
from dataflywheel.rows.gaps import text_of as text_of

Value = Any
"""A cell as JSON has it: a text, a number, a truth value, or None where nothing stands."""


@dataclass(frozen=True)
class Change:
    """A cell that is changed, and why."""

    row: int
    column: str
    before: Value
    after: Value
    reason: str
    """In a few words of a closed list, so that changes can be counted."""
    confidence: float
    """From 0 to 1; each rule says what it counts."""
    said: str = ""
    """What a model gave as its reason, where one was asked."""


class Column:
    """The cells of one column, in the order of the rows.

    A sign for no value (`N/A`, `?`) counts as missing where the column has values of its kind: in a column of numbers
    always, but for `none` where no 0 is written as one, in others only `?`, `n/a` and such as are no words, since
    `none` and `NA` may be answers.
    """

    def __init__(self, name: str, values: Sequence[Value]) -> None:
        self.name, self.values = name, list(values)

    @cached_property
    def texts(self) -> list[str]:
        """Each cell as a text, "" where it has none."""
        return [text_of(value) for value in self.values]

    @cached_property
    def missing(self) -> AnyArray:
        """Whether a cell holds no value (n,)."""
        bare = [text.strip().lower() for text in self.texts]
        signs = SIGNS - WORDS if not self.numeric else SIGNS if any(map(is_zero, bare)) else SIGNS - NAUGHT
        return np.fromiter((not text or text in signs for text in bare), bool, len(bare))

    @cached_property
    def numeric(self) -> bool:
        """Whether nearly all cells that hold more than a sign are numbers."""
        said = [text.strip() for text in self.texts if text.strip() and text.strip().lower() not in SIGNS]
        return bool(said) and sum(is_number(text) for text in said) >= MOSTLY * len(said)

    @cached_property
    def codes(self) -> AnyArray:
        """Equal numbers for equal cells (n,) int64, from 0 in the order in which they come; -1 where missing."""
        known: dict[str, int] = {}
        found = [
            -1 if gone else known.setdefault(t, len(known)) for t, gone in zip(self.texts, self.missing, strict=True)
        ]
        return np.array(found, np.int64)

    @cached_property
    def firsts(self) -> list[int]:
        """Where each different value stands first, by its code."""
        place: dict[int, int] = {}
        for row, code in enumerate(self.codes.tolist()):
            place.setdefault(code, row)
        return [place[code] for code in range(len(place) - (-1 in place))]

    @cached_property
    def counts(self) -> AnyArray:
        """How many cells hold each value, by its code."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.firsts))

    def value(self, code: int) -> Value:
        """A value by its code, as the table has it."""
        return self.values[self.firsts[code]]

    def with_changes(self, changes: Iterable[Change]) -> Column:
        """The column after changes of its cells."""
        values = list(self.values)
        for change in changes:
            values[change.row] = change.after
        return Column(self.name, values)


def columns_of(rows: Sequence[Mapping[str, Value]]) -> dict[str, Column]:
    """The columns of rows, in the order in which their names come; None where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: Column(name, [row.get(name) for row in rows]) for name in names}


def changed(table: Mapping[str, Column], changes: Sequence[Change]) -> dict[str, Column]:
    """The table after changes; of two of one cell the later one counts."""
    by: dict[str, list[Change]] = {}
    for change in changes:
        by.setdefault(change.column, []).append(change)
    return {name: column.with_changes(by[name]) if name in by else column for name, column in table.items()}
