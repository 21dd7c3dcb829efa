"""What menders of tables share: the rows whose cells change, and the proposals that say so cell by cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.enhancement.tables.columns import Change, text_of
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.formats.table import cells_of, cells_text, told
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row

NO_CELLS = "not mended, no cells: it comes from no table"
NOTHING = "nothing to mend"


def cells(row: Row) -> dict[str, Any] | None:
    """The cells of a row by column; None where it comes from no table."""
    held = orjson.loads(row["cells"]) if row["cells"] else None
    return held if isinstance(held, dict) and held else None


@dataclass
class Left:
    """Why a row stays as it is of which a cell was to change: the first reason counts."""

    why: dict[int, str] = field(default_factory=dict)

    def add(self, row: int, why: str, aside: bool = False) -> None:
        """Say it of a row; `aside`: of a cell that was not to change."""
        if not aside:
            self.why.setdefault(row, why)


def require_columns(name: str, wanted: Sequence[str], table: Collection[str]) -> None:
    """What a mender is to change must be there; a table without a line has no columns to say so by.

    Raises:
        UsageError: no line has a value in a column that is named.
    """
    for column in wanted:
        if table and column not in table:
            near = nearest(column, list(table))
            raise UsageError(f"{name}: columns: no line of the table has a value in a column {column!r}{near}")


def proposals(
    rows: Sequence[Row],
    tables: Sequence[Row],
    changes: Sequence[Change],
    made_by: str,
    left: Mapping[str, str] | None = None,
    bills: Mapping[str, Sequence[Reply]] | None = None,
) -> list[Proposal]:
    """One a row: the row with its changed cells, or why it stays as it is.

    Args:
        rows: all seeds, in order.
        tables: those of them that have cells, to which `Change.row` counts.
        changes: in the order in which they were made; of several of one cell all are told, and the last one stands.
        left: why a row without a change has none, by its id.
        bills: what was asked for a row, and for others with it, by its id.
    """
    by: dict[str, list[Change]] = {}
    for change in changes:
        by.setdefault(tables[change.row]["id"], []).append(change)
    owed = dict(bills or {})  # an id that comes twice is billed once
    why = left or {}
    return [
        _proposal(row, by.get(row["id"], ()), made_by, why.get(row["id"], NOTHING), owed.pop(row["id"], ()))
        for row in rows
    ]


def _proposal(row: Row, changes: Sequence[Change], made_by: str, why: str, bill: Sequence[Reply]) -> Proposal:
    held = cells(row)
    if held is None:
        return unchanged(row, NO_CELLS)
    changes = [change for change in changes if text_of(change.before) != text_of(change.after)]
    if not changes:
        return unchanged(row, why, bill)
    after = held | {change.column: change.after for change in changes}
    return replaced(row, with_cells(row, after, made_by), bill, facts={"cells": [_told(change) for change in changes]})


def _told(change: Change) -> dict[str, Any]:
    return {
        "column": change.column,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
        "confidence": round(change.confidence, 4),
        **({"said": change.said} if change.said else {}),
    }


def with_cells(row: Row, after: Mapping[str, Any], made_by: str) -> Row:
    """The row with these cells; a text that showed the old ones shows these, all else stays."""
    before, shown = told(cells_of(row["cells"] or "{}")), told(after)
    turns: list[Message] = [
        {**turn, "content": shown} if turn["content"] == before else turn for turn in row["messages"]
    ]
    made = make_row(
        turns, rejected=row["rejected"], tools=row["tools"], label=row["label"], source=row["source"], tags=row["tags"],
        extra=orjson.loads(row["extra"] or "{}"), parents=[row["id"]], made_by=made_by, round=row["round"],
        media=row["media"], cells=cells_text(after), weight=row["weight"],
    )  # fmt: skip
    made["copies"] = row["copies"]
    return made
