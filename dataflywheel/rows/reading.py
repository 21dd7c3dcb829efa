"""Inputs, opened: which files they are, what holds their records, and their rows one block after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.rows.builder import build
from dataflywheel.rows.containers import CONTAINERS, read_blocks
from dataflywheel.rows.containers.block import BLOCK_BYTES, Block, left_out
from dataflywheel.rows.containers.find import find, hub_name
from dataflywheel.rows.containers.sniff import bare_stem
from dataflywheel.rows.formats import SHAPES
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.parse import Parsed, parse_block
from dataflywheel.rows.quarantine import Quarantined
from dataflywheel.rows.schema import Row


@dataclass
class Input:
    """Where rows come from: a path (file, folder, pattern, hub name), or `records` that make them.

    A path may name a split of a folder or data set, or the key of a JSON document, after a `#`.

    `source` is the file's name without its suffix unless given. `format` names a container (`jsonl`, `csv`, ...) or a
    record shape (`alpaca`, `sharegpt`, ...) where it should not be detected. `mapping` names columns and roles.
    """

    path: str | None
    source: str = ""
    format: str | None = None
    records: Callable[[], Iterator[Row]] | None = None
    mapping: ColumnMapping | None = None


@dataclass
class InputFile:
    """One file to read, with what to tell its blocks."""

    name: str
    source: str
    container: str
    shape: str | None
    blocks: Iterator[Block]
    size: int
    mapping: ColumnMapping | None = None


def split_format(format: str | None) -> tuple[str | None, str | None]:
    """The container and the record shape that a format names, one or both of them: `csv`, `table`, `csv/table`.

    Raises:
        UsageError: it names neither.
    """
    names = [shape.name for shape in SHAPES]
    if format is None or format in CONTAINERS:
        return format, None
    if format in names:
        return None, format
    container, sign, shape = format.partition("/")
    if sign and container in CONTAINERS and shape in names:
        return container, shape
    raise UsageError(f"no format {format!r}{nearest(format, [*CONTAINERS, *names])}")


def open_input(given: Input, block_bytes: int = BLOCK_BYTES) -> Iterator[InputFile]:
    """The files of one input, opened one after the other.

    Raises:
        FlywheelError: the path names nothing, or a folder without data.
    """
    container, shape = split_format(given.format)
    assert given.path is not None
    hub = hub_name(given.path)
    if hub:
        from dataflywheel.rows.containers.hub import hub_blocks

        yield InputFile(
            given.path, given.source or hub[0].split("/")[-1], "hub", shape, hub_blocks(*hub), 0, given.mapping
        )
        return
    place = find(given.path)
    for number, path in enumerate(place.files):
        found, blocks = read_blocks(path, container, block_bytes, place.part)
        if place.unread and number == 0:
            blocks = chain([left_out(place.unread)], blocks)
        yield InputFile(str(path), given.source or stem(path), found, shape, blocks, path.stat().st_size, given.mapping)


def stem(path: Path) -> str:
    """The name of a file without the suffixes of format and compression.

    >>> stem(Path("data/pool.jsonl.gz"))
    'pool'
    """
    return bare_stem(path)


def row_blocks(rows: Iterator[Row], size: int = 4096) -> Iterator[Block]:
    """Rows that were made in memory, as blocks of canonical records."""
    first, waiting = 1, list[tuple[int, Any]]()
    for number, row in enumerate(rows, start=1):
        waiting.append((number, row))
        if len(waiting) == size:
            yield Block("records", first, waiting)
            first, waiting = number + 1, []
    if waiting:
        yield Block("records", first, waiting)


def iter_parsed(given: Input) -> Iterator[Parsed]:
    """Rows and quarantine of an input, block after block; memory is bounded by the block.

    Raises:
        FlywheelError: the path names nothing, or a folder without data.
        UsageError: an unknown format.
    """
    if given.records is not None:
        for block in row_blocks(given.records()):
            yield parse_block(block, given.source, given.source, "canonical")
        return
    for file in open_input(given):
        for block in file.blocks:
            yield parse_block(block, file.name, file.source, file.shape, file.mapping)


def read_file(path: str, source: str | None = None, format: str | None = None) -> tuple[pa.Table, list[Quarantined]]:
    """All rows of a small set at once, in order and not merged, and what was set aside.

    Raises:
        FlywheelError: the path names nothing, or a folder without data.
        UsageError: an unknown format.
    """
    rows: list[Row] = []
    quarantined: list[Quarantined] = []
    for parsed in iter_parsed(Input(path, source or "", format)):
        rows += parsed.rows
        quarantined += parsed.quarantined
    return build(rows), quarantined
