"""How large an input is, from a look at its beginning: for plans, before anything is read for good."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.containers.sniff import PACKED
from dataflywheel.rows.gaps import Gaps
from dataflywheel.rows.ingest import Input, open_input, row_blocks
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.parse import parse_block
from dataflywheel.rows.plain import PlainChats
from dataflywheel.rows.reading import InputFile
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import text_of
from dataflywheel.rows.trainers.kind import LABELS

BLOCKS = 4
PACKED_RATIO = 4  # text shrinks about this much under gzip or zstd


class Size(NamedTuple):
    """Rows and characters; exact for small inputs, else in proportion to the bytes of the file."""

    rows: int
    chars: int
    pairs: int
    """Rows with a worse answer beside the good one; at least 1 where the look did not reach an input's end."""
    labelled: int
    """Rows without one whose label says whether their answer is wanted; at least 1 likewise."""
    unread: tuple[tuple[str, str], ...] = ()
    """What lies beside the rows and is not read, with the reason."""
    bad: int = 0
    """Lines and records that cannot be read, among those that were looked at."""
    why: str = ""
    """The first of them, with its reason."""
    gaps: tuple[tuple[str, int], ...] = ()
    """Cells of tables that hold no value, by column; in proportion where the look did not reach an input's end."""


def peek(given: Input) -> Size:
    """The size of one input from at most its first four blocks of each file (about 16 MB).

    Raises:
        FlywheelError: an input names nothing, or a folder without data.
    """
    return look_into(given, 0)[0]


def look_into(given: Input, wanted: int) -> tuple[Size, list[Row]]:
    """`peek`, and the first rows of what it looks at, as many as are wanted where so many are there.

    Raises:
        FlywheelError: an input names nothing, or a folder without data.
    """
    first: list[Row] = []
    if given.records is not None:
        return _read(list(row_blocks(given.records())), given.source, first, wanted), first
    rows = chars = pairs = labelled = 0.0
    bad, why = 0, ""
    gaps: Counter[str] = Counter()
    unread: dict[tuple[str, str], None] = {}
    for file in open_input(given):
        seen = list(islice(file.blocks, BLOCKS))
        found = _read(seen, file.source, first, wanted, file.shape, file.mapping, file.name)
        more = next(file.blocks, None) is not None
        factor = _times(file, seen) if more else 1.0
        rows, chars = rows + found.rows * factor, chars + found.chars * factor
        pairs += max(found.pairs * factor, float(more))
        labelled += max(found.labelled * factor, float(more))
        gaps.update({name: round(cells * factor) for name, cells in found.gaps})
        unread |= dict.fromkeys(found.unread)
        bad, why = bad + found.bad, why or found.why
    size = Size(int(rows), int(chars), int(pairs), int(labelled), tuple(unread), bad, why, tuple(gaps.items()))
    return size, first


def _read(
    blocks: list[Block],
    source: str,
    first: list[Row],
    wanted: int,
    shape: str | None = None,
    mapping: ColumnMapping | None = None,
    name: str = "",
) -> Size:
    """The size of some blocks; their rows go to `first` until that holds what is wanted, and then are only counted."""
    rows = chars = pairs = labelled = 0
    unread: list[tuple[str, str]] = []
    bad, why = 0, ""
    gaps = Gaps()
    for block in blocks:
        plain = PlainChats(source) if len(first) >= wanted else None
        parsed = parse_block(block, name, source, shape, mapping, plain)
        first += parsed.rows[: max(0, wanted - len(first))]
        rows += len(parsed.lines)
        chars += sum(len(text_of(row["messages"])) for row in parsed.rows) + (plain.chars() if plain else 0)
        pairs += sum(bool(row["rejected"]) for row in parsed.rows)
        labelled += sum(row["label"] in LABELS and not row["rejected"] for row in parsed.rows)
        gaps.look(parsed.rows)
        unread += parsed.unread
        bad += len(parsed.quarantined)
        if parsed.quarantined and not why:
            one = parsed.quarantined[0]
            why = f"{one.file} line {one.line}{f', {one.field}' if one.field else ''}: {one.reason}"
    return Size(rows, chars, pairs, labelled, tuple(unread), bad, why, tuple(gaps.by_column().items()))


def _times(file: InputFile, seen: list[Block]) -> float:
    """How often what was looked at is in the whole of the file, which has more."""
    batches = [block.payload for block in seen if isinstance(block.payload, pa.RecordBatch)]
    if file.container == "parquet" and (rows := sum(len(batch) for batch in batches)):
        return max(1.0, float(pq.read_metadata(file.name).num_rows / rows))
    read = sum(_bytes(block) for block in seen)
    packed = PACKED_RATIO if file.name.endswith(PACKED) else 1
    return max(1.0, file.size * packed / read) if read else 1.0


def _bytes(block: Block) -> int:
    payload = block.payload
    if isinstance(payload, bytes):
        return len(payload)
    return payload.nbytes if isinstance(payload, pa.RecordBatch) else sum(len(repr(record)) for _, record in payload)
