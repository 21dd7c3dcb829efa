"""Parquet and Arrow files, and directories that Hugging Face `datasets` saved."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.rows.containers.block import BLOCK_RECORDS, Block, bad_file
from dataflywheel.rows.containers.cells import mend
from dataflywheel.rows.containers.opening import BROKEN, decompressed
from dataflywheel.rows.formats.draft import Record


def columnar_blocks(path: Path, container: str) -> Iterator[Block]:
    """Record batches in order; what follows a damaged place is reported as one bad block."""
    first = 1
    try:
        for batch in batches(path, container):
            for start in range(0, batch.num_rows, BLOCK_RECORDS):
                part = batch.slice(start, BLOCK_RECORDS)
                yield Block("arrow", first, part)
                first += part.num_rows
    except BROKEN as error:
        yield bad_file(f"the {container} file is damaged: {error}", first)


def batches(path: Path, container: str) -> Iterator[pa.RecordBatch]:
    with decompressed(path) as stream:
        packed = not stream.peek(4).startswith(path.open("rb").read(4))
        source: Any = pa.BufferReader(stream.read()) if packed else str(path)
    if container == "parquet":
        yield from pq.ParquetFile(source).iter_batches(batch_size=BLOCK_RECORDS)
    elif path.open("rb").read(6) == b"ARROW1":
        file = pa.ipc.open_file(pa.memory_map(source) if isinstance(source, str) else source)
        yield from (file.get_batch(i) for i in range(file.num_record_batches))
    else:
        yield from pa.ipc.open_stream(pa.memory_map(source) if isinstance(source, str) else source)


def records_of(batch: pa.RecordBatch) -> Iterator[Record]:
    """Plain records: nulls are absent fields, since columns cannot tell them apart."""
    for record in batch.to_pylist():
        yield mend(plain_value(record))


def plain_value(value: Any) -> Any:
    """A value as JSON has it: without null fields, times as ISO text, decimals as text, bytes as base64."""
    if isinstance(value, dict):
        return {key: plain_value(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def saved_files(directory: Path) -> list[Path]:
    """The Arrow files of a directory written by `save_to_disk`, all splits in order; empty when it is not one."""
    if (directory / "dataset_dict.json").is_file():
        splits = json.loads((directory / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
        return [file for split in splits for file in saved_files(directory / split)]
    state = directory / "state.json"
    if not state.is_file() or not (directory / "dataset_info.json").is_file():
        return []
    return [directory / entry["filename"] for entry in json.loads(state.read_text(encoding="utf-8"))["_data_files"]]
