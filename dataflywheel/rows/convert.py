"""From any format to any other, as a stream: what the other cannot hold is set aside, each row with its reason."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, repeat
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError, UsageError, nearest
from dataflywheel.rows.containers import CONTAINERS
from dataflywheel.rows.containers.find import hub_name
from dataflywheel.rows.containers.table_columns import TableColumns
from dataflywheel.rows.containers.write import DATASET, container_for, text_line, write_records
from dataflywheel.rows.formats import SHAPES, CannotHold, Shape, holding, shape_named
from dataflywheel.rows.formats.beside import FORM, OURS
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.kind_files import KindFiles
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.reading import Input, stem
from dataflywheel.rows.rows_read import RowsRead
from dataflywheel.rows.schema import ROW_SCHEMA, Row
from dataflywheel.rows.set_aside import Origin, SetAside, reason_of
from dataflywheel.rows.table_types import read_types, untyped
from dataflywheel.rows.trainers import TRAINERS
from dataflywheel.rows.trainers.kind import kind_of

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
    place: Path | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    roles: Mapping[str, str] | None = None,
    origins: Callable[[Row], Record] | None = None,
    change: Callable[[Origin], Row] | None = None,
) -> dict[str, Any]:
    """Read `input` (file, folder, pattern or hub name) and write its rows to `output` as `to`.

    The name of `output` decides the container and compression (`.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.txt`,
    each also `.gz` or `.zst`; without a suffix a `datasets` directory). A trainer reads one kind of row a file: rows of
    several kinds become `<name>.chat.jsonl`, `<name>.preference.jsonl`, `<name>.kto.jsonl` and `<name>.text.jsonl`.
    With `lineage`, source, copies, parents, made_by and round are kept in records of foreign shapes. Lines that cannot
    be read and rows that the format cannot hold are written to `<output>.quarantine.jsonl`, with file, line and reason.
    Descriptions name the data by its path, or as it will be in the folder `place`. `columns` and `roles` name what is
    read under other names: `{"prompt": "q", "answer": "a"}`, `{"customer": "user"}`. `origins` gives what is told of a
    row in its record under `flywheel`, where a record is one row. `change` gives the row to write for one read.

    Returns:
        input, output, format, rows read, records written, files by kind, quarantined (lines that could not be read) and
        left_out (rows that the format cannot hold) as counts, left_out also by reason, the first 20 of both, files
        written beside, `not_carried`: fields of the rows that a trainer has no place for, with the number of rows,
        `untyped`: columns of a table that do not have the type that they were read with, with the reason, and
        `unread`: what lies beside the rows and was not read, with the reason.

    Raises:
        UsageError: `to` names no format, or a mapping that makes no sense.
        FlywheelError: the input names nothing or holds no row, or the format can hold none of its rows.
    """
    target = Path(output)
    container, not_carried = _checked(input, target, to), Counter[str]()
    table: tuple[TableColumns, list[str]] | None = None
    with SetAside(target) as aside:
        reading = RowsRead(Input(input, source or "", mapping=column_mapping(columns, roles)), aside, progress, change)
        if to in TRAINERS:
            writing = _by_kind(reading, aside, to, KindFiles(TRAINERS[to], target, container, origins), not_carried)
            if writing.spools:
                files, beside = writing.write(place or target.parent)
        else:
            records = _shaped(reading, aside, to, lineage, stem(target), CHECKS.get(container), origins)
            first = next(records, None)
            if first is not None:
                schema = ROW_SCHEMA if to == "canonical" else None
                if not (lineage or origins) and _shape(to, reading).name == "table":
                    table = read_types(input)
                count = write_records(target, chain([first], records), container, schema, table=table and table[0])
                files, beside = {"rows": {"path": output, "records": count}}, []
    if reading.count == aside.left_out:
        raise _none_held(aside, reading.count, None if place else aside.path)
    beside += [aside.path] if aside.unread or aside.left_out else []
    return {
        "input": input, "output": output, "format": to, "container": container, "rows": reading.count,
        "records": sum(int(str(file["records"])) for file in files.values()), "files": files,
        "quarantined": aside.unread, "left_out": aside.left_out, "reasons": dict(aside.reasons.most_common()),
        "beside": [str(path) for path in beside], "examples": aside.examples, "unread": list(reading.unread),
        "not_carried": dict(not_carried.most_common()),
        "untyped": untyped(*table) if table and container in ("parquet", DATASET) else {},
    }  # fmt: skip


def _shape(to: str, reading: RowsRead) -> Shape:
    """The shape that `to` names, or the input's own where it names a container."""
    return shape_named(to if to in [shape.name for shape in SHAPES] else reading.shape)


def _by_kind(reading: RowsRead, aside: SetAside, to: str, writing: KindFiles, not_carried: Counter[str]) -> KindFiles:
    """The files of a trainer with every row that they can hold; the user's other fields, which no trainer reads, are
    counted in `not_carried`."""
    for origin in reading:
        try:
            writing.add(origin.row)
        except CannotHold as why:
            aside.refused(origin, to, why)
        else:
            if origin.row["extra"] not in (None, "", "{}"):
                beside = orjson.loads(origin.row["extra"])
                not_carried.update(
                    name for name, value in beside.items() if value is not None and not ours(name, value)
                )
    return writing


def ours(name: str, value: object) -> bool:
    """Whether a field beside a row holds how its record was written, which is no field of the user's."""
    return name == OURS and isinstance(value, dict)


def _none_held(aside: SetAside, count: int, listed: Path | None) -> FlywheelError:
    """The error where a format can hold no row, with the formats that can hold the first."""
    assert aside.first is not None
    row, reason = aside.first
    others = [name for name in ("messages", *TRAINERS, "canonical") if not unheld([row], name)]
    where = f", see {listed}" if listed else ""
    return FlywheelError(f"{reason} (and so for all {count:,} rows{where}); it can be written as {', '.join(others)}")


def unheld(rows: Iterable[Row], to: str) -> Counter[str]:
    """How many of the rows the format cannot hold, by reason."""
    reasons: Counter[str] = Counter()
    for row in rows:
        try:
            if to in TRAINERS:
                TRAINERS[to].record(kind_of(row), row)
            else:
                shape_named(to).write(row)
        except CannotHold as why:
            reasons[reason_of(why)] += 1
    return reasons


def _checked(input: str, target: Path, to: str) -> str:
    """The container to write, once it is sure that the request makes sense.

    Raises:
        UsageError: it does not.
    """
    if to not in formats():
        raise UsageError(f"no format {to!r}{nearest(to, formats())}")
    if not hub_name(input) and os.path.realpath(target) == os.path.realpath(input):
        raise UsageError(f"{target}: input and output are the same file")
    container = container_for(target)
    if to in (*CONTAINERS, DATASET) and to not in ("text", container):
        raise UsageError(f"{target}: its name says {container}, not {to}; name it accordingly")
    if to in TRAINERS and container not in TRAINABLE:
        raise UsageError(f"{target}: trainers read lists of turns, which {container} has not; write .jsonl or .parquet")
    return container


def _one_line(record: Record) -> None:
    """Raises CannotHold: the record is not a document of one line, and no text file holds it."""
    try:
        text_line(record, 0)
    except FlywheelError:
        raise CannotHold("anything but a document of one line in a text file (.jsonl can)") from None


CHECKS: dict[str, Callable[[Record], None]] = {"text": _one_line}
"""What a container wants of each record."""


def _shaped(
    reading: RowsRead,
    aside: SetAside,
    to: str,
    lineage: bool,
    source: str,
    check: Callable[[Record], None] | None,
    origins: Callable[[Row], Record] | None = None,
) -> Iterator[Record]:
    """Records in the shape that `to` names, or in the input's own where `to` is a container."""
    rows = iter(reading)
    rows = chain([next(rows)], rows)
    shape = _shape(to, reading)
    if shape.name == "oasst_tree":
        yield from _trees(rows, aside, shape, lineage, source)
    elif type(shape).write_all is not Shape.write_all:
        held = _held(rows, aside, shape)
        yield from (record for _, record in shape.write_all(held, lineage, source))
    else:
        for origin in rows:
            try:
                record = shape.write(origin.row, lineage, source)
                if check:
                    check(record)
            except CannotHold as why:
                aside.refused(origin, shape.name, f"{why}; write it as {holding(origin.row)!r} instead")
                continue
            told = {} if origins is None else {**origins(origin.row), **({FORM: shape.name} if shape.marked else {})}
            record = {**record, OURS: {**record.get(OURS, {}), **told}} if told else record
            # A table has as many lines as before, where nothing beside them could say how often one stood.
            yield from repeat(record, origin.row["copies"] if shape.name == "table" and not (told or lineage) else 1)


def _held(rows: Iterable[Origin], aside: SetAside, shape: Shape) -> Iterator[Row]:
    """The rows that the shape can hold, for one that joins rows to a record."""
    for origin in rows:
        try:
            shape.write(origin.row)
        except CannotHold as why:
            aside.refused(origin, shape.name, f"{why}; write it as {holding(origin.row)!r} instead")
            continue
        yield origin.row


def _trees(rows: Iterable[Origin], aside: SetAside, shape: Shape, lineage: bool, source: str) -> Iterator[Record]:
    """Records of whole trees; a tree that is not whole is set aside with all its rows."""
    for _, group in groupby(rows, key=lambda origin: orjson.loads(origin.row["extra"]).get("message_tree_id")):
        tree = list(group)
        try:
            yield from [record for _, record in shape.write_all([origin.row for origin in tree], lineage, source)]
        except CannotHold as why:
            for origin in tree:
                aside.refused(origin, shape.name, f"{why}; write it as {holding(origin.row)!r} instead")
