"""What a verb was given to work on: files by their paths, or rows that Python holds, which are written to the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import xxhash

from dataflywheel.contracts import UsageError
from dataflywheel.inline.held import UNWRITTEN, Held, held
from dataflywheel.inline.line import Line
from dataflywheel.rows.containers.block import Bad
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.parse import records
from dataflywheel.rows.reading import Input, open_input, stem
from dataflywheel.store.atomic import atomic_path

FOLDER = "given"
"""Of the store, where rows that Python held lie by their content."""
SOURCE = "rows"
"""What such rows have as their source."""
Names = Mapping[str, Any] | None


@dataclass(frozen=True)
class Given:
    """Rows by the paths of their files, and `held` where Python held them: then there is one path, of what was written.

    `columns` and `roles` name what they hold under other names, as in a recipe.
    """

    paths: tuple[str, ...]
    held: Held | None = None
    columns: Names = None
    roles: Names = None

    @property
    def name(self) -> str:
        """What runs are named after."""
        return stem(Path(self.paths[0])) if self.held is None else f"{SOURCE}-{Path(self.paths[0]).stem[:8]}"

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """As recipes name it under `pool` or `target`."""
        named = {"columns": dict(self.columns or {}), "roles": dict(self.roles or {})}
        told = {} if self.held is None else {"source": SOURCE, "format": self.held.container}
        return [{"path": path, **told, **named} for path in self.paths]

    def inputs(self) -> list[Input]:
        """As the reader takes it."""
        mapping = column_mapping(self.columns, self.roles)
        return [Input(e["path"], e.get("source", ""), e.get("format"), mapping=mapping) for e in self.entries]

    def position(self, line: int, order: int) -> int:
        """Where a record stands in what was given: `line` in its file, `order` among the records read."""
        return order if self.held is None else line - 1

    def records(self, lines: Sequence[Line]) -> list[Any]:
        """The records of these lines as they were given; of files, as they are written there, and the text of a line
        that holds none."""
        if self.held is not None:
            return self.held.records([line.index for line in lines])
        wanted = {(line.file, line.line) for line in lines}
        found = dict[tuple[str, int], Any]()
        for given in self.inputs():
            for file in open_input(given):
                for block in file.blocks:
                    for number, raw, record in records(block):
                        if (file.name, number) in wanted:
                            found.setdefault((file.name, number), _shown(raw, record))
        return [found.get((line.file, line.line)) for line in lines]


def given(rows: object, home: Path, columns: Names = None, roles: Names = None) -> Given:
    """What may be worked on: one path or several, or a container of rows.

    Rows that Python holds are written to `home` once, by their content, so that they go through the same reader as
    files, and the same rows find what was done with them before.

    Raises:
        UsageError: a container that is not known, or without rows.
    """
    paths = [rows] if isinstance(rows, str | Path) else rows
    if isinstance(paths, list | tuple) and paths and all(isinstance(path, str | Path) for path in paths):
        return Given(tuple(map(str, paths)), None, columns, roles)
    kept = held(rows)
    return Given((str(_written(kept, Path(home) / FOLDER)),), kept, columns, roles)


def _written(rows: Held, folder: Path) -> Path:
    digest = xxhash.xxh3_128()
    for piece in rows.pieces():
        digest.update(piece)
    path = folder / f"{digest.hexdigest()[:24]}.{rows.container}"
    if not path.is_file():
        with atomic_path(path) as aside, aside.open("wb") as out:
            out.writelines(rows.pieces())
    _some_written(path)
    return path


def _some_written(path: Path) -> None:
    """Raises UsageError: no row could be written; says why of the first."""
    lost = f'"{UNWRITTEN}'.encode()
    with path.open("rb") as lines:
        first = next(lines, b"")
        if first.startswith(lost) and all(line.startswith(lost) for line in lines):
            raise UsageError(f"no row can be kept; row 0 {orjson.loads(first)}")


def _shown(raw: bytes | None, record: Any) -> Any:
    if not isinstance(record, Bad):
        return record
    return record.text if raw is None else raw.decode("utf-8", "replace")
