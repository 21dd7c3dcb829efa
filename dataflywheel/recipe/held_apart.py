"""Rows that a run holds apart: written with their reason where nothing reads them that is not told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.rows.formats import holding, shape_named
from dataflywheel.rows.formats.beside import origin_of
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.row_model import OURS
from dataflywheel.rows.parts import iter_batches
from dataflywheel.store.atomic import atomic_directory, remove
from dataflywheel.store.run import HELD_APART, QUARANTINE, step_directories

FILE = "rows.jsonl"


def write_held_apart(run: Path) -> int:
    """`quarantine/rows.jsonl` of a run: each row with the step that holds it and the reason; gives how many there are.
    Without such rows there is no folder."""
    remove(run / QUARANTINE)
    found = (record for step, before in _pairs(run) for record in _held(step, before))
    first = next(found, None)
    if first is None:
        return 0
    with atomic_directory(run / QUARANTINE) as aside, (aside / FILE).open("wb") as file:
        count = 1
        file.write(orjson.dumps(first) + b"\n")
        for count, record in enumerate(found, 2):  # noqa: B007 - counts what is written
            file.write(orjson.dumps(record) + b"\n")
    return count


def _pairs(run: Path) -> Iterator[tuple[Path, Path]]:
    """Steps with decisions, each with the rows that came to it."""
    before: Path | None = None
    for step in step_directories(run):
        if before is not None and (step / "decisions.parquet").is_file():
            yield step, before
        if (step / "rows").is_dir():
            before = step / "rows"


def _held(step: Path, before: Path) -> Iterator[Record]:
    decisions = pq.read_table(step / "decisions.parquet", columns=["id", "action", "reason"])
    apart = decisions.filter(
        pc.and_(pc.equal(decisions["action"], "dropped"), pc.starts_with(decisions["reason"], HELD_APART))
    )
    why = dict(zip(apart["id"].to_pylist(), apart["reason"].to_pylist(), strict=True))
    for batch in iter_batches(before) if why else ():
        for row in batch.filter(pc.is_in(batch["id"], apart["id"].combine_chunks())).to_pylist():
            record = shape_named(holding(row)).write(row, lineage=False)
            said = {"held_by": step.name, "held_for": why[row["id"]].removeprefix(HELD_APART)}
            yield {**record, **said, OURS: {**record.get(OURS, {}), **origin_of(row)}}
