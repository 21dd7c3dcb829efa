"""Each row that was read, in the order of what was given, and what could not be read between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from dataflywheel.inline.held import UNWRITTEN
from dataflywheel.rows.quarantine import first_reason
from dataflywheel.store.record import StepRecord


@dataclass(frozen=True)
class Line:
    """A row by its `id`, or in `unread` why there is none; `index` is its record's place in what was given, from 0."""

    index: int
    file: str
    line: int
    """In the file, from 1; 0 is the file as a whole."""
    id: str = ""
    unread: str = ""


def lines_of(pool: Path, position: Callable[[int, int], int]) -> list[Line]:
    """All of a pool that was read into this directory, by place; several rows of one record share its index.

    Args:
        position: gives a record's index from its line and its number among all records.
    """
    files = [file["path"] for file in StepRecord.read(pool).details["files"]]
    order = {file: number for number, file in reversed(list(enumerate(files)))}
    held = pq.read_table(pool / "origins.parquet")
    found = [(file, line, id, "") for id, file, line in zip(*(column.to_pylist() for column in held), strict=True)]
    if (pool / "quarantine.jsonl").is_file():
        with (pool / "quarantine.jsonl").open("rb") as entries:
            bad = [orjson.loads(entry) for entry in entries]
        found += [(entry["file"], entry["line"], "", _why(entry)) for entry in bad]
    found.sort(key=lambda entry: (order.get(entry[0], len(order)), entry[1]))
    numbers: dict[tuple[str, int], int] = {}
    return [
        Line(position(line, numbers.setdefault((file, line), len(numbers))), file, line, id, why)
        for file, line, id, why in found
    ]


def _why(entry: Mapping[str, Any]) -> str:
    """Why a record is no row, without its line; of one that could not be written, why that was."""
    said = str(entry["text"]).strip('"')
    return said if said.startswith(UNWRITTEN) else f"cannot be read: {first_reason({**entry, 'line': 0})}"
