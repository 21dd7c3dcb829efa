"""Where, after a broken record of a text table, a record is sure to begin again."""

from __future__ import annotations

import csv

from dataflywheel.rows.containers.dialect import Dialect, stray


class Place:
    """Follows the lines of a broken record as one would read it who takes quotes inside a cell for characters.

    A record may begin again where that reading ends, the quotes passed are even in number, and the line is a record by
    itself. Where they are odd, a quote is missing or too much, and only a line with a quoted cell is one for sure.
    """

    def __init__(self, dialect: Dialect, width: int) -> None:
        self.dialect, self.width = dialect, width
        self.quotes = 0
        self.cells = 0
        self.inside = False

    def passed(self, line: str) -> None:
        """Go over a line that may belong to the broken record."""
        text = self.dialect.line(line).rstrip("\r\n")
        self.quotes += text.count('"')
        if not self.inside and self.cells >= self.width:
            self.cells = 0
        pieces = text.split(self.dialect.delimiter)
        for at, piece in enumerate(pieces):
            last = at == len(pieces) - 1
            if not self.inside and piece.startswith('"'):
                self.inside, piece = True, piece[1:]
            if self.inside and piece.endswith('"'):
                # At the end of a line a quote closes the last cell only; in another it is a character.
                self.inside = last and self.cells + 1 < self.width
            self.cells += not self.inside

    def certain(self, line: str) -> bool:
        """Whether a record is sure to begin with this line."""
        if self.inside or self.cells < self.width:
            return False
        text = self.dialect.line(line)
        try:
            cells = next(self.dialect.reader(iter([text])), [])
        except csv.Error:
            return False
        if len(cells) != self.width or stray(cells, f"{text}\n", self.dialect.delimiter):
            return False
        return self.quotes % 2 == 0 or ('"' in text and not any('"' in cell for cell in cells))
