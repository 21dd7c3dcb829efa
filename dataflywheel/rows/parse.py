"""Blocks of a file to rows: pure, so that any process can do any block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dataflywheel.rows.containers.arrow_values import records_of
from dataflywheel.rows.containers.block import Bad, Block, Left
from dataflywheel.rows.containers.json_lines import json_lines, text_lines
from dataflywheel.rows.formats import ReadError, detect, shape_named
from dataflywheel.rows.formats.draft import kind
from dataflywheel.rows.formats.lone_turns import is_conversation
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.plain import PlainChats
from dataflywheel.rows.quarantine import Quarantined, beginning
from dataflywheel.rows.schema import Row


@dataclass
class Parsed:
    """The rows of a block with the line or record that each came from, what was set aside, and what was not read."""

    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[str, str]] = field(default_factory=list)


def parse_block(
    block: Block,
    file: str,
    source: str,
    shape: str | None = None,
    mapping: ColumnMapping | None = None,
    plain: PlainChats | None = None,
) -> Parsed:
    """The rows of one block; `shape` is told from each record's keys when None, under the names of a `mapping`.

    Where `plain` is given, rows that it can take go there, and `places` says where they stand among all.
    """
    result = Parsed()
    take = plain.take if plain is not None and mapping is None else None
    places = result.places
    forced = None if shape is None else shape_named(shape)
    rows, lines = result.rows, result.lines
    names: list[str] = []
    for line, raw, record in records(block):
        if take is not None and (taken := take(record, shape)) is not None:
            names.append(taken)
            places.append(len(lines))
            lines.append(line)
            continue
        try:
            if type(record) is list and is_conversation(record):
                record = {"messages": record}
            if type(record) is not dict:
                if type(record) is Left:
                    result.unread.append(
                        (record.path if block.kind == "records" else f"{file}#{record.path}", record.reason)
                    )
                    continue
                raise unreadable(record)
            if mapping is None:
                used = forced or detect(record)
                read = used.read(record, source)
            else:
                renamed, used = mapping.read(record)
                used = forced or used
                read = used.read(renamed, source)
        except ReadError as error:
            shown = raw if raw is not None else record.text if isinstance(record, Bad) else record
            reason = error.reason if mapping is None else mapping.explained(error.reason)
            result.quarantined.append(Quarantined(file, line, error.field, reason, beginning(shown)))
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
        number = block.first
        for record in records_of(block.payload):
            yield number, None, record
            number += type(record) is dict
    else:
        assert isinstance(block.payload, list)
        for number, record in block.payload:
            yield number, None, record
