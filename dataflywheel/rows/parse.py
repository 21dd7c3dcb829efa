"""Blocks of a file to rows: pure, so that any process can do any block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.rows.containers.block import Bad, Block
from dataflywheel.rows.containers.columnar import records_of
from dataflywheel.rows.formats import ReadError, detect, shape_named
from dataflywheel.rows.formats.draft import kind
from dataflywheel.rows.quarantine import Quarantined, beginning
from dataflywheel.rows.schema import Row


@dataclass
class Parsed:
    """The rows of a block with the line or record that each came from, and what was set aside."""

    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)


def parse_block(block: Block, file: str, source: str, shape: str | None = None) -> Parsed:
    """The rows of one block; `shape` is told from each record's keys when None."""
    result = Parsed()
    forced = None if shape is None else shape_named(shape)
    rows, lines = result.rows, result.lines
    names: list[str] = []
    for line, raw, record in records(block):
        try:
            if type(record) is not dict:
                raise unreadable(record)
            used = forced or detect(record)
            read = used.read(record, source)
        except ReadError as error:
            shown = raw if raw is not None else record.text if isinstance(record, Bad) else record
            result.quarantined.append(Quarantined(file, line, error.field, error.reason, beginning(shown)))
            continue
        except (KeyError, TypeError, AttributeError) as error:
            reason = f"not a record of the format {shape or 'told from its keys'}: {type(error).__name__} {error}"
            result.quarantined.append(
                Quarantined(file, line, "", reason, beginning(raw if raw is not None else record))
            )
            continue
        names.append(used.name)
        rows += read
        lines += [line] * len(read)
    result.shapes = Counter(names)
    return result


def unreadable(record: Any) -> ReadError:
    if isinstance(record, Bad):
        return ReadError(record.field, record.reason)
    return ReadError("", f"expected an object, got {kind(record)}")


def records(block: Block) -> Iterator[tuple[int, bytes | None, Any]]:
    """Line, its bytes where there are any, and the record or what is bad about it."""
    if block.kind == "jsonl":
        yield from json_lines(block)
    elif block.kind == "text":
        yield from text_lines(block)
    elif block.kind == "arrow":
        for number, record in enumerate(records_of(block.payload), start=block.first):
            yield number, None, record
    else:
        assert isinstance(block.payload, list)
        for number, record in block.payload:
            yield number, None, record


def json_lines(block: Block) -> Iterator[tuple[int, bytes, Any]]:
    assert isinstance(block.payload, bytes)
    for number, line in enumerate(block.payload.split(b"\n"), start=block.first):
        if not line.strip():
            continue
        try:
            yield number, line, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, line, Bad(what_is_wrong(line) or f"not JSON: {error}")


def text_lines(block: Block) -> Iterator[tuple[int, bytes, Any]]:
    assert isinstance(block.payload, bytes)
    for number, line in enumerate(block.payload.split(b"\n"), start=block.first):
        if line.strip():
            reason = what_is_wrong(line)
            yield number, line, Bad(reason) if reason else {"text": line.removesuffix(b"\r").decode()}


def what_is_wrong(line: bytes) -> str | None:
    """Why a line is not text, or None when it is."""
    if b"\0" in line:
        return f"a NUL byte at byte {line.index(0)}; expected UTF-8 text"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start}; save the file as UTF-8"
    return None
