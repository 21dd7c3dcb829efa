"""Cells of tables that hold no value: what counts as none, and how many a look at a table finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.rows.schema import Row

SIGNS = frozenset({"?", "n/a", "#n/a", "na", "nan", "null", "none", "nil", "-", "--", "\\n", "missing"})
"""What tables write where no value is known, in small letters."""
WORDS = frozenset({"na", "none", "missing", "nil", "-"})
"""Those of them that may be answers: they are signs in columns of numbers alone."""
NAUGHT = frozenset({"none", "nil"})
"""Those of them that mean 0 as often as nothing known: among numbers they are signs where a 0 is written as one."""
MOSTLY = 0.9
"""The share of a column's values that are of a kind where the column is."""
NUMBER = re.compile(r"[-+]?(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")


def text_of(value: Any) -> str:
    """A cell as the text by which cells are compared: without blanks around it; numbers as JSON writes them."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else orjson.dumps(value).decode()


def is_number(text: str) -> bool:
    """Whether a text is one number: `12`, `-0.5`, `1,200.50`, `1e-3`; `E12` is a name."""
    return NUMBER.fullmatch(text) is not None


def is_zero(text: str) -> bool:
    """Whether a text is the number 0."""
    return is_number(text) and not float(text.replace(",", ""))


@dataclass
class Gaps:
    """Counts of a table's rows as they are looked at, from which the gaps of each column follow."""

    rows: int = 0
    held: Counter[str] = field(default_factory=Counter)
    """Cells that hold more than a sign, by column."""
    numbers: Counter[str] = field(default_factory=Counter)
    """Those of them that are numbers."""
    words: Counter[str] = field(default_factory=Counter)
    """Cells that hold a sign which may be an answer."""
    naught: Counter[str] = field(default_factory=Counter)
    """Those of them that may mean 0."""
    zeros: Counter[str] = field(default_factory=Counter)
    """Cells that are 0."""

    def look(self, rows: Iterable[Row]) -> None:
        """Count the cells of rows that come from a table."""
        for row in rows:
            cells = orjson.loads(row["cells"]) if row["cells"] else None
            if isinstance(cells, dict) and cells:
                self.rows += 1
                for name, value in cells.items():
                    self._take(name, text_of(value).lower())

    def _take(self, name: str, text: str) -> None:
        self.held[name] += bool(text) and text not in SIGNS
        self.words[name] += text in WORDS
        self.naught[name] += text in NAUGHT
        self.zeros[name] += is_zero(text)
        self.numbers[name] += text not in SIGNS and is_number(text)

    def by_column(self) -> Mapping[str, int]:
        """Cells without a value by column, of those that have any and that hold a value elsewhere."""
        found = {}
        for name, held in self.held.items():
            numeric = held and self.numbers[name] >= MOSTLY * held
            answers = self.words[name] if not numeric else 0 if self.zeros[name] else self.naught[name]
            lacking = self.rows - held - answers
            if lacking and held + answers:
                found[name] = lacking
        return found
