"""One block as rows on disk, so that blocks of any number fit in memory; run in this process or in workers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.rows.builder import build
from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.parse import Parsed, parse_block
from dataflywheel.rows.plain import PlainChats
from dataflywheel.rows.quarantine import Quarantined

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Task:
    """A block with what is needed to parse it, and where its rows go."""

    block: Block
    file: str
    source: str
    shape: str | None
    target: Path
    mapping: ColumnMapping | None = None


@dataclass
class Spilled:
    """What is told of a block whose rows are on disk. `ids` has shape (n, 2), uint64, big-endian halves of the id."""

    ids: Array
    copies: Array
    lines: Array
    quarantined: list[Quarantined]
    shapes: Counter[str]
    unread: list[tuple[str, str]]


def spill_task(task: Task) -> Spilled:
    """Parse a block and write its rows to `task.target`."""
    plain = PlainChats(task.source)
    parsed = parse_block(task.block, task.file, task.source, task.shape, task.mapping, plain)
    rows = in_place(parsed, plain)
    with pa.ipc.new_file(str(task.target), rows.schema) as writer:
        writer.write_table(rows)
    digests = bytes.fromhex("".join(rows["id"].to_pylist()))
    ids = np.frombuffer(digests, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    copies = rows["copies"].to_numpy().astype(np.int64)
    return Spilled(ids, copies, np.array(parsed.lines, np.int64), parsed.quarantined, parsed.shapes, parsed.unread)


def in_place(parsed: Parsed, plain: PlainChats) -> pa.Table:
    """All rows of a block in the order of its lines, by whichever way they were read."""
    if not len(plain):
        return build(parsed.rows)
    if not parsed.rows:
        return plain.table()
    places = np.ones(len(parsed.lines), bool)
    places[parsed.places] = False
    order = np.concatenate([parsed.places, np.flatnonzero(places)])
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_tables([plain.table(), build(parsed.rows)]).combine_chunks().take(pa.array(back))
