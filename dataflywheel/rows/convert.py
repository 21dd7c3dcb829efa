"""From any format to any other, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from dataflywheel.contracts import FlywheelError, UsageError, nearest
from dataflywheel.rows.containers import CONTAINERS
from dataflywheel.rows.containers.find import hub_name
from dataflywheel.rows.containers.write import DATASET, container_for, write_records
from dataflywheel.rows.formats import SHAPES, CannotHold, cannot_hold, shape_named
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.quarantine import Quarantined
from dataflywheel.rows.reading import Input, iter_parsed, stem
from dataflywheel.rows.schema import ROW_SCHEMA, Row
from dataflywheel.rows.trainers import TRAINERS, Trainer
from dataflywheel.rows.trainers.kind import Kind, one_kind

SHOWN = 20
TRAINABLE = ("jsonl", "json", "parquet", DATASET)


def formats() -> list[str]:
    """Every name that `to` may have: record shapes, trainers, and containers (which keep the shape of the input)."""
    return [
        *(shape.name for shape in SHAPES),
        *TRAINERS,
        *(c for c in CONTAINERS if c not in ("arrow", "text")),
        DATASET,
    ]


def convert(
    input: str,
    output: str,
    to: str,
    *,
    source: str | None = None,
    lineage: bool = False,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Read `input` (file, folder, pattern or hub name) and write its rows to `output` as `to`.

    The name of `output` decides the container and compression (`.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.txt`,
    each also `.gz` or `.zst`; without a suffix a `datasets` directory). With `lineage`, source, copies, parents,
    made_by and round are kept in records of foreign shapes. Lines that cannot be read are written to
    `<output>.quarantine.jsonl`.

    Returns:
        input, output, format, rows read, records written, quarantined (count and the first 20), files written beside.

    Raises:
        UsageError: `to` names no format.
        FlywheelError: the input names nothing, holds no row, or the format cannot hold one (named, with one that can).
    """
    if to not in formats():
        raise UsageError(f"no format {to!r}{nearest(to, formats())}")
    target = Path(output)
    if not hub_name(input) and target.resolve() == Path(input).resolve():
        raise UsageError(f"{output}: input and output are the same file")
    container = container_for(target)
    if to in (*CONTAINERS, DATASET) and to not in ("text", container):
        raise UsageError(f"{output}: its name says {container}, not {to}; name it accordingly")
    if to in TRAINERS and container not in TRAINABLE:
        raise UsageError(f"{output}: trainers read lists of turns, which {container} has not; write .jsonl or .parquet")
    reading = _Rows(Input(input, source or ""), progress)
    trainer = TRAINERS.get(to)
    if trainer:
        writing = _Training(trainer)
        records = writing.records(iter(reading))
    else:
        records = shaped(reading, to, lineage, stem(target))
    schema = ROW_SCHEMA if to == "canonical" else None
    count = write_records(target, records, container, schema, plain=trainer is not None)
    beside = trainer.describe(target, writing.kind) if trainer else []
    if reading.quarantined:
        beside.append(target.with_name(f"{target.name}.quarantine.jsonl"))
        beside[-1].write_bytes(b"".join(entry.as_json() for entry in reading.quarantined))
    return {
        "input": input, "output": output, "format": to, "container": container, "rows": reading.count,
        "records": count, "quarantined": len(reading.quarantined), "beside": [str(path) for path in beside],
        "examples": [vars(entry) for entry in reading.quarantined[:SHOWN]],
    }  # fmt: skip


class _Rows:
    """Rows of an input, counted, with what was set aside on the way and the shape that came first."""

    def __init__(self, given: Input, progress: Callable[[int], None] | None) -> None:
        self.given, self.progress = given, progress
        self.count = 0
        self.shape = ""
        self.quarantined: list[Quarantined] = []

    def __iter__(self) -> Iterator[Row]:
        for parsed in iter_parsed(self.given):
            self.quarantined += parsed.quarantined
            self.shape = self.shape or next(iter(parsed.shapes), "")
            self.count += len(parsed.rows)
            yield from parsed.rows
            if self.progress:
                self.progress(self.count)
        if not self.count:
            why = f": {self.quarantined[0].reason}" if self.quarantined else ""
            raise FlywheelError(f"{self.given.path}: no row could be read{why}")


class _Training:
    """Records for a trainer; `kind` is known once the first was made."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.kind: Kind = "chat"

    def records(self, rows: Iterator[Row]) -> Iterator[Record]:
        for kind, row in one_kind(rows, self.trainer.name):
            self.kind = kind
            try:
                yield self.trainer.record(kind, row)
            except CannotHold as why:
                raise FlywheelError(
                    f"row {row['id']}: {self.trainer.name} cannot hold {why}; write it as 'canonical' or filter it out"
                ) from None


def shaped(reading: _Rows, to: str, lineage: bool, source: str) -> Iterator[Record]:
    """Records in the shape that `to` names, or in the input's own where `to` is a container."""
    rows = iter(reading)
    first = next(rows)
    shape = shape_named(to if to in [shape.name for shape in SHAPES] else reading.shape)
    latest = first

    def watched() -> Iterator[Row]:
        nonlocal latest
        for row in chain([first], rows):
            latest = row
            yield row

    try:
        for _, record in shape.write_all(watched(), lineage, source):
            yield record
    except CannotHold as why:
        raise cannot_hold(latest, shape, why) from None
