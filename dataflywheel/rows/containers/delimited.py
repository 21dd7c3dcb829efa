"""Tables of text: csv and tsv."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from dataflywheel.rows.containers.block import BLOCK_RECORDS, Bad, Block, bad_file
from dataflywheel.rows.containers.cells import from_cells
from dataflywheel.rows.containers.opening import BROKEN


def delimited_blocks(stream: BinaryIO, container: str) -> Iterator[Block]:
    """Records by header; a line with another number of cells is bad. `line` is where the record begins."""
    csv.field_size_limit(sys.maxsize)
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    header_line = text.readline()
    delimiter = max(",\t;", key=header_line.count) if container == "csv" else "\t"
    text = _Again(header_line, text)  # type: ignore[assignment]
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    header = next(reader, [])
    if len(set(header)) != len(header):
        yield bad_file(f"the header names a column twice: {', '.join(header)}", 1)
        return
    records: list[tuple[int, Any]] = []
    for line, value in numbered(reader, header):
        records.append((line, value))
        if len(records) == BLOCK_RECORDS:
            yield Block("records", records[0][0], records)
            records = []
    if records:
        yield Block("records", records[0][0], records)


class _Again:
    """Lines of a text, the first of which was already read."""

    def __init__(self, first: str, rest: io.TextIOWrapper) -> None:
        self._first, self._rest = first, rest

    def __iter__(self) -> Iterator[str]:
        yield self._first
        yield from self._rest


def numbered(reader: Any, header: list[str]) -> Iterator[tuple[int, Any]]:
    """Each record with the line on which it begins."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Bad(f"not a line of a table: {error}")
            continue
        except BROKEN as error:
            yield line, Bad(f"the file is damaged or ends early: {error}")
            return
        if cells:
            yield line, record_of(cells, header)


def record_of(cells: list[str], header: list[str]) -> Any:
    if len(cells) != len(header):
        return Bad(f"expected {len(header)} cells ({', '.join(header)[:100]}), got {len(cells)}", cells)
    joined = "".join(cells)
    if "\0" in joined:
        return Bad("a NUL byte in text", joined)
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            return Bad("not UTF-8", joined)
    return from_cells(dict(zip(header, cells, strict=True)))
