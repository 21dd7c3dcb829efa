"""Records to files of any container, compressed as the file's name says; a file appears whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.cells import to_cell, to_cells
from dataflywheel.rows.containers.columns import Columns
from dataflywheel.rows.containers.sniff import SUFFIXES, named
from dataflywheel.rows.containers.table_columns import TableColumns
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.shape import OURS

BATCH = 4096
DATASET = "datasets"
"""The container that is a directory as Hugging Face `datasets` saves it."""


def container_for(path: Path) -> str:
    """The container that a name to write to asks for: by suffix, a `datasets` directory where there is none.

    Raises:
        FlywheelError: the suffix is not that of a container.
    """
    found = named(path)
    if found and found != "arrow":
        return found
    if path.suffix:
        raise FlywheelError(f"{path}: cannot tell the format from {path.suffix!r}; expected {', '.join(SUFFIXES)}")
    return DATASET


def write_records(
    path: Path,
    records: Iterable[Record],
    container: str | None = None,
    schema: pa.Schema | None = None,
    plain: bool = False,
    table: TableColumns | None = None,
) -> int:
    """Write records in order and return their number; `container` is told from the name when None.

    Columns are typed by `schema`, or by what the records hold; what no typed column can hold goes to a column
    `flywheel`, or is refused when `plain`, for readers other than ours. Records that are the lines of a `table` become
    its columns: in csv and tsv a cell is its text, and one without a value is empty.

    Raises:
        FlywheelError: the container cannot hold a record, or the name asks for none.
    """
    container = container or container_for(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
    try:
        aside = scratch / path.name
        count = write_any(aside, records, container, schema, plain, table)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(aside, path)
        return count
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_any(
    path: Path,
    records: Iterable[Record],
    container: str,
    schema: pa.Schema | None,
    plain: bool,
    table: TableColumns | None = None,
) -> int:
    if container in ("csv", "tsv"):
        records = records if table is None else ({k: to_text(v) for k, v in record.items()} for record in records)
        return write_delimited(path, records, "," if container == "csv" else "\t", table is not None)
    if container in ("parquet", DATASET):
        parts = tables(path, records, schema, plain, Columns() if table is None else table)
        return (write_parquet if container == "parquet" else write_dataset)(path, parts)
    return write_lines(path, records, container)


def open_to_write(path: Path) -> BinaryIO:
    """A file to write to, compressed as its suffix says; equal content gives equal bytes."""
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile(filename="", fileobj=path.open("wb"), mode="wb", mtime=0))
    if path.suffix in (".zst", ".zstd"):
        return cast(BinaryIO, pa.output_stream(str(path), compression="zstd"))
    return path.open("wb")


def write_lines(path: Path, records: Iterable[Record], container: str) -> int:
    """`jsonl`, `json` (one array) or `text` (one document a line)."""
    count = 0
    with open_to_write(path) as out:
        if container == "json":
            out.write(b"[")
        for count, record in enumerate(records, start=1):
            if container == "json":
                out.write((b",\n" if count > 1 else b"\n") + orjson.dumps(record))
            else:
                out.write((text_line(record, count) if container == "text" else orjson.dumps(record)) + b"\n")
        if container == "json":
            out.write(b"\n]\n")
    return count


def text_line(record: Record, number: int) -> bytes:
    text = record.get("text")
    if record.keys() != {"text"} or not isinstance(text, str):
        raise FlywheelError(f"record {number}: a text file holds documents and nothing else; write .jsonl instead")
    if not text.strip() or "\n" in text or "\0" in text or text.endswith("\r"):
        raise FlywheelError(f"record {number}: the document is more or less than one line; write .jsonl instead")
    return text.encode()


@contextmanager
def spooled(path: Path, records: Iterable[Record], see: Callable[[Record], None]) -> Iterator[Iterator[Record]]:
    """Show every record to `see`, then give them again: columns must be known before the first row is written."""
    with tempfile.TemporaryFile(dir=path.parent) as spool:
        for record in records:
            see(record)
            spool.write(orjson.dumps(record) + b"\n")
        spool.seek(0)
        yield (orjson.loads(line) for line in spool)


def to_text(value: Any) -> str:
    return value if isinstance(value, str) else to_cell(value)


def write_delimited(path: Path, records: Iterable[Record], delimiter: str = ",", texts: bool = False) -> int:
    """`texts`: the records hold texts alone, and a column that one lacks is empty there."""
    columns: dict[str, None] = {}
    kinds: set[tuple[str, ...]] = set()

    def see(record: Record) -> None:
        columns.update(dict.fromkeys(record))
        kinds.add((OURS,) if OURS in to_cells(record, record) else () if texts else tuple(sorted(record)))

    count = 0
    with (
        spooled(path, records, see) as again,
        io.TextIOWrapper(open_to_write(path), encoding="utf-8", newline="") as out,
    ):
        columns.pop(OURS, None)
        header = [*columns, OURS] if len(kinds) > 1 or (OURS,) in kinds else list(columns)
        writer = csv.DictWriter(out, header, restval="", delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for record in again:
            writer.writerow(to_cells({**dict.fromkeys(columns, ""), **record} if texts else record, columns))
            count += 1
    return count


def tables(
    path: Path, records: Iterable[Record], schema: pa.Schema | None, plain: bool, columns: Columns
) -> Iterator[pa.Table]:
    """Tables of one schema, one of no rows first.

    Raises:
        FlywheelError: the records need a column of ours, and `plain` forbids it.
    """
    if schema is not None:
        yield schema.empty_table()
        for batch in batched(iter(records), BATCH):
            yield pa.Table.from_pylist(batch, schema=schema)
        return
    with spooled(path, records, columns.see) as again:
        schema = columns.schema()
        if plain and OURS in schema.names:
            unlike = [key for key, kind in columns.types.items() if kind is None] or list(columns.types)
            raise FlywheelError(
                f"{path.name}: the values of {', '.join(unlike)} differ too much for typed columns "
                "(such as the arguments of different tools); write .jsonl instead"
            )
        yield schema.empty_table()
        for batch in batched(again, BATCH):
            yield columns.table(batch, schema)


def batched(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    while batch := list(islice(records, size)):
        yield batch


def write_parquet(path: Path, parts: Iterator[pa.Table]) -> int:
    count = 0
    with open_to_write(path) as out, pq.ParquetWriter(out, next(parts).schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part)
            count += len(part)
    return count


def write_dataset(path: Path, parts: Iterator[pa.Table]) -> int:
    """A directory that `datasets.load_from_disk` opens."""
    path.mkdir()
    count = 0
    name = "data-00000-of-00001.arrow"
    with pa.ipc.new_stream(str(path / name), next(parts).schema) as writer:
        for part in parts:
            writer.write_table(part)
            count += len(part)
    state: dict[str, Any] = {"_data_files": [{"filename": name}], "_fingerprint": "0" * 16, "_split": None}
    state |= {"_format_columns": None, "_format_kwargs": {}, "_format_type": None, "_output_all_columns": False}
    (path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    (path / "dataset_info.json").write_text("{}", encoding="utf-8")
    return count
