"""Files of any kind to one directory of canonical rows: read, identified, merged; what cannot be read is set aside."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflywheel.rows.containers.block import BLOCK_BYTES
from dataflywheel.rows.merge import COPY, Merging
from dataflywheel.rows.origins import OriginsWriter
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.quarantine import Quarantined
from dataflywheel.rows.reading import Input, InputFile, open_input, read_file, row_blocks
from dataflywheel.rows.schema import ROW_SCHEMA
from dataflywheel.rows.spill import Array, Task
from dataflywheel.rows.workers import run

__all__ = ["Ingested", "Input", "ingest", "open_input", "read_file", "row_blocks"]

PARALLEL_BYTES = 64 << 20
"""Below this, starting workers costs more than it gains."""
READERS = 1
"""Blocks that are read back at a time while parts are written."""


@dataclass
class Ingested:
    """The outcome: rows written, rows merged into an earlier equal one, entries in quarantine, and the same by file.

    `unread` names what lies beside the rows and was not read, each with its reason.
    """

    rows: int = 0
    merged: int = 0
    quarantined: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


def ingest(
    inputs: Sequence[Input],
    directory: Path,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Ingested:
    """Write the rows of all inputs to `directory` as canonical parts; equal rows are merged and counted in `copies`.

    Of identical rows the first keeps its facts and its place. `origins.parquet` (id, file, line; one entry a row
    read) and, where anything could not be read, `quarantine.jsonl` lie beside the parts. Rows and ids wait on disk
    between reading and writing, so memory does not grow with them. Neither workers nor block size changes the outcome.

    Args:
        workers: processes that parse; by default one a core for more than 64 MB, else none.
        progress: called with the rows read so far.

    Raises:
        FlywheelError: an input names nothing, or a folder without data.
        UsageError: an unknown format.
    """
    directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".reading-", dir=directory))
    try:
        with OriginsWriter(directory / "origins.parquet") as origins:
            reading = _Reading(directory, scratch, origins, progress)
            for given in inputs:
                reading.read(given, workers, block_bytes)
        return reading.finish()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Reading:
    """Collects blocks on disk in order, then merges them into parts."""

    def __init__(
        self, directory: Path, scratch: Path, origins: OriginsWriter, progress: Callable[[int], None] | None
    ) -> None:
        self.directory, self.scratch, self.origins, self.progress = directory, scratch, origins, progress
        self.merging = Merging(scratch)
        self.sizes: list[int] = []
        self.result = Ingested()
        self.tasks = 0

    def read(self, given: Input, workers: int | None, block_bytes: int) -> None:
        if given.records is not None:
            name = given.source or "records"
            self._collect(InputFile(name, name, "records", "canonical", row_blocks(given.records()), 0), 1)
            return
        for file in open_input(given, block_bytes):
            parallel = file.size >= PARALLEL_BYTES and file.container not in ("json", "csv", "tsv")
            self._collect(file, workers if workers is not None else (os.cpu_count() or 1) if parallel else 1)

    def _collect(self, file: InputFile, workers: int) -> None:
        entry: dict[str, Any] = {"path": file.name, "source": file.source, "rows": 0, "quarantined": 0}
        shapes: Counter[str] = Counter()
        for _, spilled in run(self._make_tasks(file), workers):
            self.sizes.append(len(spilled.ids))
            self.merging.add(spilled.ids, spilled.copies)
            self.origins.add(spilled.ids, file.name, spilled.lines)
            entry["rows"] += len(spilled.ids)
            entry["quarantined"] += len(spilled.quarantined)
            shapes += spilled.shapes
            self._set_aside(spilled.quarantined)
            self.result.unread += [entry for entry in spilled.unread if entry not in self.result.unread]
            if self.progress:
                self.progress(self.merging.rows)
        entry["format"] = "/".join([file.container, *sorted(shapes)])
        self.result.files.append(entry)

    def _make_tasks(self, file: InputFile) -> Iterator[Task]:
        for block in file.blocks:
            yield Task(block, file.name, file.source, file.shape, self._spilled(self.tasks), file.mapping)
            self.tasks += 1

    def _spilled(self, number: int) -> Path:
        return self.scratch / f"{number}.arrow"

    def _set_aside(self, quarantined: list[Quarantined]) -> None:
        if quarantined:
            with (self.directory / "quarantine.jsonl").open("ab" if self.result.quarantined else "wb") as out:
                out.writelines(entry.as_json() for entry in quarantined)
            self.result.quarantined += len(quarantined)

    def finish(self) -> Ingested:
        with PartWriter(self.directory) as writer, ThreadPoolExecutor(READERS) as readers:
            waiting: deque[Future[pa.Table]] = deque()
            for number, total in enumerate(self.merging.totals(self.sizes)):
                waiting.append(readers.submit(merged_rows, self._spilled(number), total))
                if len(waiting) > READERS:
                    writer.write(waiting.popleft().result())
            while waiting:
                writer.write(waiting.popleft().result())
        self.result.rows = self.merging.kept
        self.result.merged = self.merging.rows - self.merging.kept
        return self.result


def merged_rows(path: Path, total: Array) -> pa.Table:
    """The first appearances among the rows of one block, with their copies; the block is gone from the disk then."""
    with pa.OSFile(str(path)) as file:
        rows = pa.ipc.open_file(file).read_all()
    path.unlink()
    keep = total != COPY
    if not keep.all():
        rows, total = rows.filter(pa.array(keep)), total[keep]
    return rows.set_column(ROW_SCHEMA.get_field_index("copies"), "copies", pa.array(total, pa.int32()))
