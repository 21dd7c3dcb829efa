"""Whether a value that somebody gives for a cell is of its column's kind: a number, one of a few, or a text like it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import orjson

from dataflywheel.enhancement.tables.columns import Column, Value, is_number, text_of
from dataflywheel.rows.gaps import SIGNS

FEW = 0.2
"""A column of kinds has at most so many different values a row."""
FEW_NUMBERS = 10
"""A column of numbers is one of kinds where it has at most so many different ones beside."""
SHOWN = 40
"""Kinds that are named in a question, at most: the most frequent ones."""
LONGER = 2
"""How many times as long as the longest text of its column a text may be."""
NO_NUMBER = "no number in a column of numbers"
NO_KIND = "no value that its column of few kinds has"
TOO_LONG = "longer than any text of its column"
LINES = "several lines in a column without any"


@dataclass(frozen=True)
class Fitting:
    """What values of a column are like, by those that it has."""

    column: Column
    closed: bool = False
    """Whether only the values that are there may stand in it, however many these are."""

    @cached_property
    def kinds(self) -> bool:
        """Whether the column has few values, each of them many times."""
        if self.closed:
            return True
        there, several = int(self.column.counts.sum()), len(self.column.firsts)
        return several <= FEW * there and (not self.column.numeric or several <= FEW_NUMBERS)

    @cached_property
    def _known(self) -> dict[str, Value]:
        """The column's values by how they are compared; of two spellings the more frequent one."""
        order = sorted(range(len(self.column.firsts)), key=lambda code: int(self.column.counts[code]))
        return {self._key(text_of(self.column.value(code))): self.column.value(code) for code in order}

    @cached_property
    def _longest(self) -> int:
        return max((len(self.column.texts[row]) for row in self.column.firsts), default=0)

    def _key(self, text: str) -> str:
        if self.column.numeric and is_number(text):
            return repr(float(text.replace(",", "")))
        return " ".join(text.split()).casefold()

    def same(self, one: str, other: str) -> bool:
        """Whether two texts are the same value, capitals and blanks aside; numbers by what they are worth."""
        return self._key(one) == self._key(other)

    def told(self) -> str:
        """What is known of the column, as a JSON text: its name, and what its values are."""
        held: dict[str, object] = {"column": self.column.name}
        if self.kinds:
            often = sorted(range(len(self.column.firsts)), key=lambda code: -int(self.column.counts[code]))[:SHOWN]
            held["one of" if len(often) == len(self.column.firsts) else "such as"] = [
                self.column.value(code) for code in often
            ]
        elif self.column.numeric:
            numbers = [self.column.texts[row].replace(",", "") for row in self.column.firsts]
            read = [float(text) for text in numbers if is_number(text)]
            held["a number from"], held["to"] = min(read), max(read)
        else:
            held["a text such as"] = [self.column.value(code) for code in range(min(3, len(self.column.firsts)))]
        return orjson.dumps(held).decode()

    def read(self, text: str) -> tuple[Value, str]:
        """The value as the column writes it, or None and why it is none of its kind; None and "" where nothing is
        said."""
        text = text.strip()
        if not text or text.lower() in SIGNS - ({text.lower()} if self._key(text) in self._known else set()):
            return None, ""
        if self.kinds:
            return (self._known[self._key(text)], "") if self._key(text) in self._known else (None, NO_KIND)
        if self.column.numeric:
            return (self._number(text), "") if is_number(text) else (None, NO_NUMBER)
        if len(text) > LONGER * self._longest:
            return None, TOO_LONG
        if "\n" in text and not any("\n" in self.column.texts[row] for row in self.column.firsts):
            return None, LINES
        return text, ""

    def _number(self, text: str) -> Value:
        """A number as the column has its own: as JSON has them, or as a text."""
        values = [self.column.values[row] for row in self.column.firsts]
        if any(isinstance(value, str) for value in values):
            return text
        number = float(text.replace(",", ""))
        return int(number) if number.is_integer() and all(isinstance(v, int) for v in values) else number
