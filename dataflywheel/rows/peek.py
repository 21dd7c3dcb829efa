"""How large an input is, from a look at its beginning: for plans, before anything is read for good."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.containers.sniff import PACKED
from dataflywheel.rows.ingest import Input, open_input, row_blocks
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.parse import parse_block
from dataflywheel.rows.text import text_of

BLOCKS = 4
PACKED_RATIO = 4  # text shrinks about this much under gzip or zstd


class Size(NamedTuple):
    """Rows and characters; exact for small inputs, else in proportion to the bytes of the file."""

    rows: int
    chars: int
    pairs: int
    """Rows with a worse answer beside the good one; at least 1 where the look did not reach an input's end."""
    unread: tuple[tuple[str, str], ...] = ()
    """What lies beside the rows and is not read, with the reason."""


def peek(given: Input) -> Size:
    """The size of one input from at most its first four blocks of each file (about 16 MB).

    Raises:
        FlywheelError: an input names nothing, or a folder without data.
    """
    if given.records is not None:
        return _read(list(row_blocks(given.records())), given.source)
    rows = chars = pairs = 0.0
    unread: dict[tuple[str, str], None] = {}
    for file in open_input(given):
        seen = list(islice(file.blocks, BLOCKS))
        found = _read(seen, file.source, file.shape, file.mapping)
        more = next(file.blocks, None) is not None
        read = sum(_bytes(block) for block in seen)
        packed = PACKED_RATIO if file.name.endswith((*PACKED, ".parquet")) else 1
        factor = max(1.0, file.size * packed / read) if more and read else 1.0
        rows, chars = rows + found.rows * factor, chars + found.chars * factor
        pairs += max(found.pairs * factor, float(more))
        unread |= dict.fromkeys(found.unread)
    return Size(int(rows), int(chars), int(pairs), tuple(unread))


def _read(blocks: list[Block], source: str, shape: str | None = None, mapping: ColumnMapping | None = None) -> Size:
    read = [parse_block(block, "", source, shape, mapping) for block in blocks]
    parsed = [one.rows for one in read]
    chars = sum(len(text_of(row["messages"])) for rows in parsed for row in rows)
    return Size(
        sum(map(len, parsed)),
        chars,
        sum(bool(row["rejected"]) for rows in parsed for row in rows),
        tuple(entry for one in read for entry in one.unread),
    )


def _bytes(block: Block) -> int:
    payload = block.payload
    if isinstance(payload, bytes):
        return len(payload)
    return payload.nbytes if isinstance(payload, pa.RecordBatch) else sum(len(repr(record)) for _, record in payload)
