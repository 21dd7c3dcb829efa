"""Parquet and Arrow files, and directories that Hugging Face `datasets` saved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.rows.containers.block import BLOCK_RECORDS, Block, bad_file
from dataflywheel.rows.containers.opening import BROKEN, decompressed

Batches = Iterator[pa.RecordBatch]


def columnar_blocks(path: Path, container: str) -> Iterator[Block]:
    """Record batches in order; a damaged place is one bad block, and the parts after it are read.

    A table that names a column twice is refused, as a text table is.
    """
    first = 1
    try:
        schema, parts = opened(path, container)
    except BROKEN as error:
        yield bad_file(f"the {container} file is damaged: {error}", first)
        return
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        yield bad_file(f"the table names a column twice: {', '.join(twice)}", 1)
        return
    for rows, part in parts:
        done = 0
        try:
            for batch in part:
                for start in range(0, batch.num_rows, BLOCK_RECORDS):
                    cut = batch.slice(start, BLOCK_RECORDS)
                    yield Block("arrow", first + done, cut)
                    done += cut.num_rows
        except (*BROKEN, ValueError) as error:
            yield bad_file(f"the {container} file is damaged: {error}", first + done)
        first += max(rows, done)


def opened(path: Path, container: str) -> tuple[pa.Schema, Iterator[tuple[int, Batches]]]:
    """The schema, and parts that can be read though another is damaged: their rows (0: not known) and batches."""
    with decompressed(path) as stream:
        packed = not stream.peek(4).startswith(path.open("rb").read(4))
        content = stream.read() if packed else b""
    source: Any = pa.BufferReader(content) if packed else str(path)
    if container == "parquet":
        table = pq.ParquetFile(source)
        return table.schema_arrow, row_groups(table)
    source = source if packed else pa.memory_map(source)
    if (content[:6] or path.open("rb").read(6)) == b"ARROW1":
        file = pa.ipc.open_file(source)
        return file.schema, ((0, batch_at(file, number)) for number in range(file.num_record_batches))
    reader = pa.ipc.open_stream(source)
    return reader.schema, iter([(0, iter(reader))])


def row_groups(table: pq.ParquetFile) -> Iterator[tuple[int, Batches]]:
    for group in range(table.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        yield rows, table.iter_batches(batch_size=BLOCK_RECORDS, row_groups=[group])


def batch_at(file: Any, number: int) -> Batches:
    yield file.get_batch(number)


def saved_splits(directory: Path) -> list[str] | None:
    """The splits of a directory written by `DatasetDict.save_to_disk`; None when it is not one."""
    place = directory / "dataset_dict.json"
    if not place.is_file():
        return None
    splits = json.loads(place.read_text(encoding="utf-8")).get("splits", [])
    return [str(split) for split in splits if isinstance(split, str)]


def saved_files(directory: Path) -> list[Path]:
    """The Arrow files of a directory written by `Dataset.save_to_disk`, in order; empty when it is not one."""
    state = directory / "state.json"
    if not state.is_file() or not (directory / "dataset_info.json").is_file():
        return []
    try:
        held = json.loads(state.read_text(encoding="utf-8"))["_data_files"]
        return [directory / Path(str(entry["filename"])).name for entry in held]
    except (ValueError, KeyError, TypeError):
        return []
