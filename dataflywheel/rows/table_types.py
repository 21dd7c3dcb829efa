"""The types that the columns of a run's tables had where they were read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from dataflywheel.rows.containers.columnar import opened
from dataflywheel.rows.containers.find import with_part
from dataflywheel.rows.containers.opening import BROKEN
from dataflywheel.rows.containers.table_columns import TableColumns

POOL = Path("round-1", "00-pool", "metrics.json")


def table_types(input: str) -> tuple[dict[str, pa.DataType], list[str]]:
    """Columns with their types, of the typed files (parquet, arrow) that a run read as tables, where these agree; and
    the files that are not there any more. Nothing of an input that is no run.
    """
    folder = Path(with_part(input)[0]).expanduser()
    files = next((_files(run) for run in (folder, folder.parent) if (run / POOL).is_file()), [])
    types: dict[str, pa.DataType] = {}
    unlike: set[str] = set()
    gone: list[str] = []
    for file in files:
        container, _, shape = str(file.get("format", "")).partition("/")
        if shape != "table" or container not in ("parquet", "arrow"):
            continue
        try:
            found = {field.name: field.type for field in opened(Path(file["path"]), container)[0]}
        except BROKEN:
            gone.append(str(file["path"]))
            continue
        unlike |= {name for name, kind in found.items() if types.get(name, kind) != kind}
        types |= found
    return {name: kind for name, kind in types.items() if name not in unlike}, gone


def read_types(input: str) -> tuple[TableColumns, list[str]]:
    """Columns to write the tables of an input with, and the files whose types are not known any more."""
    types, gone = table_types(input)
    return TableColumns(types), gone


def untyped(columns: TableColumns, gone: Sequence[str]) -> dict[str, str]:
    """The columns without the type that they were read with, and why."""
    return columns.untyped | {f"all of {path}": "the file is not there to read its types of" for path in gone}


def _files(run: Path) -> list[dict[str, Any]]:
    held = orjson.loads((run / POOL).read_bytes()).get("details", {}).get("files", [])
    return [file for file in held if isinstance(file, dict)]
