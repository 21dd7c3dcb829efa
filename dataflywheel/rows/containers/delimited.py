"""Tables of text: csv and tsv."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from dataflywheel.rows.containers.block import BLOCK_RECORDS, LONGEST, Bad, Block, bad_file
from dataflywheel.rows.containers.cells import from_cells
from dataflywheel.rows.containers.dialect import Dialect, dialect_of, stray
from dataflywheel.rows.containers.lines import told
from dataflywheel.rows.containers.lost_place import Place
from dataflywheel.rows.containers.unpacking import damage_of

HEAD_LINES, HEAD_CHARS = 5000, 1 << 20
TOO_LONG = "\udffd"


def delimited_blocks(stream: BinaryIO, container: str) -> Iterator[Block]:
    """Records by header; what does not fit it is bad. `line` is where the record begins."""
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    lines = bounded_lines(text)
    before, head = first_lines(lines)
    sign = head[0].strip().strip('"') if head else ""
    dialect = dialect_of(head, container)
    if sign.lower().startswith("sep=") and len(sign) == 5:
        before, head = before + 1, head[1:]
        dialect = Dialect(sign[4], dialect_of(head, container).escapes)
    table = Table(chain(head, lines), dialect, before)
    header = table.header()
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        yield bad_file(f"the header names a column twice: {', '.join(twice)}", before + 1)
        return
    numbered = table.records(stream)
    while records := list(islice(numbered, BLOCK_RECORDS)):
        yield Block("records", records[0][0], records)


def bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines, those of more than 64 M characters as a mark that no cell can hold."""
    while line := text.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(("\n", "\r")):
            while len(line) == LONGEST and not line.endswith(("\n", "\r")):
                line = text.readline(LONGEST)
            line = f"{TOO_LONG}\n"
        yield line


def first_lines(lines: Iterator[str]) -> tuple[int, list[str]]:
    """How many blank lines come first, and the lines after them by which the dialect is told."""
    before, head, chars = 0, list[str](), 0
    for line in lines:
        if not head and not line.strip():
            before += 1
            continue
        head.append(line)
        chars += len(line)
        if len(head) == HEAD_LINES or chars > HEAD_CHARS:
            break
    return before, head


class Table:
    """Records of a table, line by line, with the lines of the latest record at hand."""

    def __init__(self, lines: Iterator[str], dialect: Dialect, before: int) -> None:
        self.lines, self.dialect = lines, dialect
        self.line = before
        self.held: list[str] = []
        self.reader = dialect.reader(self._watched())
        self.columns: list[str] = []
        self.told = False

    def _watched(self) -> Iterator[str]:
        plain = self.dialect.escapes == "doubled"
        for line in self.lines:
            self.line += 1
            self.held.append(line)
            yield line if plain else self.dialect.line(line)

    def _next(self) -> tuple[int, list[str]]:
        """The next record and the line on which it begins."""
        self.held.clear()
        line = self.line + 1
        return line, next(self.reader)

    def ended_early(self, cells: list[str]) -> bool:
        """Whether a record has too few cells and quotes, one of which may have ended it."""
        return 0 < len(cells) < len(self.columns) and self.dialect.quoted and any('"' in line for line in self.held)

    def stray(self, cells: list[str]) -> bool:
        """Whether a cell closes with a quote that nothing opened."""
        if not any(cell.endswith('"') for cell in cells):
            return False
        return stray(cells, self.dialect.line("".join(self.held)) + "\n", self.dialect.delimiter)

    def header(self) -> list[str]:
        try:
            _, cells = self._next()
        except (StopIteration, csv.Error):
            cells = []
        names = self.dialect.cells(cells)
        line = "".join(self.held).rstrip("\r\n")
        if not line.startswith('"'):
            names = [name.strip(" ") for name in names]
            # Excel ends every line with as many delimiters as its widest has.
            while names and not names[-1] and line.rstrip(" ").endswith(self.dialect.delimiter):
                names.pop()
                line = line.rstrip(" ")[:-1]
        self.columns = names
        return names

    def records(self, stream: BinaryIO) -> Iterator[tuple[int, Any]]:
        """Each record, or what is bad about it, with its line. After a broken one, all is set aside up to a place
        where a record is sure to begin."""
        latest: list[tuple[int, Any]] = []
        while True:
            line = self.line + 1
            try:
                line, cells = self._next()
            except StopIteration:
                damage = None if self.told else damage_of(stream)
                yield from [*latest, (line, Bad(told(damage.reason)))] if damage else latest
                return
            except csv.Error as error:
                yield from [*latest, *self._broken(line, f"not a line of a table: {error}", stream)]
                latest = []
                continue
            open_end = bool(self.held) and not self.held[-1].endswith(("\n", "\r"))
            damage = damage_of(stream) if open_end else None
            if damage and damage.cut:
                yield from [*latest, (line, Bad(told(damage.reason), "".join(self.held)))]
                return
            if self.ended_early(cells):
                reason = f"{expected(self.columns)}, got {len(cells)}; perhaps a quote inside a cell ended it early"
                yield from [*latest, *self._broken(line, reason, stream)]
                latest = []
                continue
            if self.dialect.quoted and self.stray(cells):
                # What closes here was opened before: then the record before ended too early.
                half = "perhaps half a record: the next line ends with a quote"
                latest = [(at, row if isinstance(row, Bad) else Bad(half, row)) for at, row in latest]
                yield from [*latest, *self._broken(line, "a cell ends with a quote that nothing opens", stream)]
                latest = []
                continue
            yield from latest
            latest = [(line, record_of(self.dialect.cells(cells), self.columns))] if any(cells) else []

    def _broken(self, line: int, reason: str, stream: BinaryIO) -> Iterator[tuple[int, Any]]:
        """One entry for the broken record and all lines that may belong to it."""
        place = Place(self.dialect, len(self.columns))
        shown = "".join(self.held)[:1000]
        for held in self.held:
            place.passed(held)
        taken = None
        for text in self.lines:
            self.line += 1
            taken = text
            if place.certain(text):
                break
            place.passed(text)
            taken = None
        damage = damage_of(stream) if taken is None else None
        self.told = damage is not None and damage.cut
        last = self.line - (taken is not None)
        lines = f"; lines {line} to {last} may belong to it" if last > line else ""
        yield line, Bad(told(damage.reason) if damage and damage.cut else f"{reason}{lines}", shown)
        if taken is not None:
            self.line -= 1
            self.lines = chain([taken], self.lines)
        self.reader = self.dialect.reader(self._watched())


def expected(header: list[str]) -> str:
    return f"expected {len(header)} cells ({', '.join(header)[:100]})"


def record_of(cells: list[str], header: list[str]) -> Any:
    while len(cells) > len(header) and not cells[-1].strip():
        cells.pop()
    joined = "".join(cells)
    if not joined.isascii() and TOO_LONG in joined:
        return Bad(f"a line of more than {LONGEST >> 20} M characters", cells)
    if len(cells) != len(header):
        return Bad(f"{expected(header)}, got {len(cells)}", cells)
    nameless = [cell for name, cell in zip(header, cells, strict=True) if not name]
    if any(cell.strip() for cell in nameless[:-1]):
        return Bad("a value under one of several columns without a name; name them in the header", cells)
    if "\0" in joined:
        return Bad("a NUL byte in text", joined)
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            return Bad("not UTF-8; save the file as UTF-8 (of Excel: CSV UTF-8)", joined)
    return from_cells(dict(zip(header, cells, strict=True)))
