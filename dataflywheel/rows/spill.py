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
from dataflywheel.rows.parse import parse_block
from dataflywheel.rows.quarantine import Quarantined
from dataflywheel.rows.schema import Row

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
    """What stays in memory of a block: 32 bytes a row. `ids` has shape (n, 2), uint64, big-endian halves of the id."""

    ids: Array
    copies: Array
    lines: Array
    quarantined: list[Quarantined]
    shapes: Counter[str]
    unread: list[tuple[str, str]]


def spill_task(task: Task) -> Spilled:
    """Parse a block and write its rows to `task.target`."""
    parsed = parse_block(task.block, task.file, task.source, task.shape, task.mapping)
    ids, copies = spill_rows(parsed.rows, task.target)
    return Spilled(ids, copies, np.array(parsed.lines, np.int64), parsed.quarantined, parsed.shapes, parsed.unread)


def spill_rows(rows: list[Row], target: Path) -> tuple[Array, Array]:
    """Write rows as one Arrow file; their ids and copies."""
    table = build(rows)
    with pa.ipc.new_file(str(target), table.schema) as writer:
        writer.write_table(table)
    digests = bytes.fromhex("".join([row["id"] for row in rows]))
    ids = np.frombuffer(digests, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return ids, np.array([row["copies"] for row in rows], np.int64)
