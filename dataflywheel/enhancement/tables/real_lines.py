"""The real lines of a small table, and whether a written one could stand among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataflywheel.enhancement.tables.columns import Column
from dataflywheel.enhancement.tables.fitting import Fitting
from dataflywheel.enhancement.tables.learning_dynamics import Learned
from dataflywheel.enhancement.tables.mended import cells
from dataflywheel.rows.schema import Row

SHAPE = "not one value for each column"


@dataclass(frozen=True)
class RealLines:
    """The real rows: what they are like, and what they teach."""

    rows: Sequence[Row]
    table: Mapping[str, Column]
    label: str
    names: Sequence[str]
    """The columns as they are shown, the label last."""
    fits: Mapping[str, Fitting]
    learned: Learned
    known: set[tuple[str, ...]]
    """The rows by their texts."""

    def shown(self, row: Row) -> list[Any]:
        held = cells(row) or {}
        return [held.get(name) for name in self.names]

    def read(self, line: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
        """The cells of a new row in the order of the table, or why it is none."""
        if len(line) != len(self.names):
            return None, SHAPE
        held: dict[str, Any] = {}
        for name, text in zip(self.names, line, strict=True):
            value, why = self.fits[name].read(text)
            if why:
                return None, f"{why}: {name}"
            if value is None and not self.table[name].missing.any():
                return None, f"no value in a column that always has one: {name}"
            held[name] = value
        return {name: held[name] for name in self.table}, ""
