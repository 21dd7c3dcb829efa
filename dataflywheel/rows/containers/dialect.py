"""How a table of text is written: its delimiter, its header, and how quotes inside cells are escaped."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

DELIMITERS = ",\t;|"
QUOTE, BACKSLASH = "\udfff", "\udffe"
"""Stand-ins for escaped characters while a line is parsed; no UTF-8 text decodes to them."""
BACK = {0xDFFF: '"', 0xDFFE: "\\"}
BEFORE_QUOTE = re.compile(r'(\\+)"')
PAIRS = re.compile(r'\\(["\\])')
Escapes = Literal["doubled", "quotes", "pairs"]


@dataclass(frozen=True)
class Dialect:
    """`escapes`: quotes are doubled; or `\\"` is a quote; or besides that a backslash stands as a pair of them."""

    delimiter: str
    escapes: Escapes = "doubled"
    spaced: bool = False
    quoted: bool = True

    def readable(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines with stand-ins for what is escaped by a backslash."""
        return iter(lines) if self.escapes == "doubled" else map(self.line, lines)

    def line(self, line: str) -> str:
        if self.escapes == "doubled" or "\\" not in line:
            return line
        if self.escapes == "pairs":
            return PAIRS.sub(lambda found: QUOTE if found[1] == '"' else BACKSLASH, line)
        return BEFORE_QUOTE.sub(before_quote, line)

    def cells(self, cells: list[str]) -> list[str]:
        """Cells with what the stand-ins stand for."""
        return cells if self.escapes == "doubled" else [cell.translate(BACK) for cell in cells]

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        if not self.quoted:
            return csv.reader(lines, delimiter=self.delimiter, strict=True, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=self.spaced)


def before_quote(found: re.Match[str]) -> str:
    """Of backslashes before a quote, two are one, and an odd one makes the quote a character."""
    count = len(found[1])
    return BACKSLASH * (count // 2) + (QUOTE if count % 2 else '"')


def dialect_of(head: list[str], container: str) -> Dialect:
    """The dialect of a table that begins with these lines (header first), with the fewest lines that do not fit."""
    header = head[0] if head else ""
    delimiter = "\t" if container == "tsv" and "\t" in header else max(DELIMITERS, key=header.count)
    if not header.count(delimiter):
        delimiter = "," if container == "csv" else "\t"
    spaced = len(re.findall(re.escape(delimiter) + " ", header)) == header.count(delimiter) > 0
    plain = Dialect(delimiter, spaced=spaced and delimiter != "\t")
    text = "".join(head)
    choices = [plain]
    if '\\"' in text:
        single = re.search(r'(?<!\\)(?:\\\\)*\\(?!["\\])', text)
        choices.append(Dialect(delimiter, "quotes" if single else "pairs", plain.spaced))
    if container == "tsv" and '"' in text:
        choices.append(Dialect(delimiter, quoted=False))
    return plain if len(choices) == 1 else min(choices, key=lambda choice: faults(head, choice))


def faults(head: list[str], dialect: Dialect) -> int:
    """Records of the beginning that are broken or have not as many cells as the header."""
    reader = dialect.reader(dialect.readable(head))
    count = width = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return count
        except csv.Error as error:
            count += "unexpected end" not in str(error)
            continue
        width = width or len(cells)
        count += len(cells) not in (0, width)


def stray(cells: list[str], record: str, delimiter: str) -> bool:
    """Whether a cell of a record (as it is parsed, and as it stands) ends with a quote that nothing opened, as the tail
    of a quoted cell does."""
    for cell in cells:
        if cell.endswith('"') and not cell.startswith(('"', '="')) and cell.count('"') % 2 == 1:
            at = record.find(cell)
            while at >= 0:
                if record[at - 1 : at] in ("", delimiter, " ") and record[at + len(cell)] in (delimiter, "\r", "\n"):
                    return True
                at = record.find(cell, at + 1)
    return False
