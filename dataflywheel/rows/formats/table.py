"""`table`: a line of a table, every column of it a cell; only where somebody says that a file is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dataflywheel.rows.formats.beside import FORM
from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, same_content
from dataflywheel.rows.formats.row_model import without_model
from dataflywheel.rows.formats.shape import OURS, Shape, finish, take_facts, with_lineage
from dataflywheel.rows.schema import Row, message

Cells = dict[str, Any]
"""The values of a line by column, in the order of the columns."""


class Table(Shape):
    """A row that holds all columns as `cells`, and shows them as a text of one `column: value` a line."""

    name = "table"
    marked = True

    def matches(self, keys: frozenset[str]) -> bool:
        return False  # any record could be one: nothing but its name tells

    def parse(self, record: Record) -> Draft:
        if not record:
            raise ReadError("", "a line without columns")
        if OURS in record:
            raise ReadError(OURS, "a column of this name holds what is told of rows; give it another name in the table")
        return Draft([message("assistant", told(record))], cells=cells_text(record))

    def render(self, draft: Draft) -> Record:
        if draft.cells is None:
            raise CannotHold("a row that comes from no table (it has no cells)")
        return cells_of(draft.cells)

    def read(self, record: Record, source: str = "") -> list[Row]:
        rest = dict(record)
        facts = take_facts(rest)
        return [finish(self.parse(rest), source, facts.pop("tags", []), facts)]

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        if row["cells"] is None:
            raise CannotHold("a row that comes from no table (it has no cells)")
        own = cells_of(row["cells"])
        try:
            whole = same_content(self.read(own)[0], without_model(row))
        except ReadError as error:
            raise CannotHold(f"these cells ({error})") from None
        if not whole:
            raise CannotHold("what a row holds beside its cells")
        record = with_lineage(own, row, source, lineage)
        return {**record, OURS: {**record[OURS], FORM: self.name}} if OURS in record else record


def cells_text(cells: Mapping[str, Any]) -> str:
    """Cells as a row holds them, in the order of the columns."""
    return orjson.dumps(cells).decode()


def cells_of(text: str) -> Cells:
    """The cells of a row by column.

    Raises:
        CannotHold: it is no object.
    """
    held = orjson.loads(text)
    if not isinstance(held, dict):
        raise CannotHold("cells that are no object of columns")
    return held


def told(cells: Mapping[str, Any]) -> str:
    """A line of a table as a text; columns without a value are left out.

    >>> print(told({"name": "Ada", "born": 1815, "email": None}))
    name: Ada
    born: 1815
    """
    shown = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in cells.items()}
    lines = [f"{name}: {text}" for name, text in shown.items() if text.strip() and text != "null"]
    return "\n".join(lines) or "an empty line of a table"
