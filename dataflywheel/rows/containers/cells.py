"""Records in tables of text cells (csv, tsv) or typed columns (parquet): nothing that a cell cannot say is lost.

What does not survive its cell (a number in csv, a key that is absent beside one that is empty, objects of unlike keys)
is remembered as edits under `cells` in the record's `flywheel` cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.patch import PatchError, apply, difference
from dataflywheel.rows.formats.shape import OURS

TURNS = frozenset(
    {"messages", "conversations", "prompt", "completion", "chosen", "rejected", "instances", "tools", "media", "cells"}
)
LISTS = frozenset({"tags", "parents", "history", "images", "videos", "audios"})
INTEGERS = frozenset({"copies", "round"})
NULL = "\\N"
"""How databases write a cell without a value."""
OPTIONAL = TURNS | LISTS | INTEGERS | {"label", OURS}
"""Fields whose empty cell means that the field is absent."""


def to_cell(value: Any) -> str:
    """Text as it stands, everything else as JSON; text with a NUL byte is left to the edits."""
    if isinstance(value, str):
        return "" if "\0" in value else value
    return "" if value is None else orjson.dumps(value).decode()


def from_cell(key: str, cell: str) -> Any:
    """The value of a cell: JSON only where the field is one that holds it, text out of Excel's `="text"`."""
    if cell.startswith('="') and cell.endswith('"') and '"' not in cell[2:-1].replace('""', ""):
        cell = cell[2:-1].replace('""', '"')
    if key in INTEGERS and cell.lstrip("-").isdecimal() and str(int(cell)) == cell:  # `01` is somebody's own column
        return int(cell)
    if (key in TURNS or key in LISTS or key == OURS) and cell[:1] in ("[", "{"):
        try:
            value = orjson.loads(cell)
        except orjson.JSONDecodeError:
            return cell
        if isinstance(value, dict) or key in LISTS or (value and all(isinstance(item, dict) for item in value)):
            return value
    return cell


def from_cells(cells: dict[str, str]) -> Record:
    """The record of one line of a table."""
    return mend({k: from_cell(k, cell) for k, cell in cells.items() if (cell or k not in OPTIONAL) and cell != NULL})


def to_cells(record: Record, columns: Iterable[str]) -> dict[str, str]:
    """One cell a column, such that `from_cells` gives the record back."""
    cells = {key: to_cell(record.get(key)) for key in columns}
    return with_edits(cells, from_cells({**cells, OURS: ""}), record)


def with_edits(row: dict[str, Any], back: Record, record: Record) -> dict[str, Any]:
    """`row` with its `flywheel` cell: the record's own facts, and the edits from what reading it gives."""
    facts = record.get(OURS, {})
    if isinstance(facts, dict):
        record = {key: value for key, value in record.items() if key != OURS}
    else:
        facts = {}
    edits = difference(back, record)
    if edits:
        facts = {**facts, "cells": edits}
    if facts:
        row[OURS] = orjson.dumps(facts).decode()
    return row


def mend(record: Record) -> Record:
    """Make the edits that the record's `flywheel` cell asks for, and open that cell where it is JSON text."""
    facts = record.get(OURS)
    if isinstance(facts, str) and facts.startswith("{"):
        try:
            facts = orjson.loads(facts)
        except orjson.JSONDecodeError:
            return record
    if not isinstance(facts, dict):
        return record
    rest = {key: value for key, value in record.items() if key != OURS}
    edits = facts.get("cells")
    facts = {key: value for key, value in facts.items() if key != "cells"}
    if isinstance(edits, list):
        try:
            rest = apply(rest, edits)
        except PatchError:
            return record
    return {**rest, OURS: facts} if facts else rest
