"""Records for a trainer, one file a kind: how many kinds an input holds is known when all of it was read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

from dataflywheel.rows.containers.write import write_records
from dataflywheel.rows.formats.beside import OURS
from dataflywheel.rows.formats.beside_chat import SETTINGS
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import Row
from dataflywheel.rows.trainers import Trainer
from dataflywheel.rows.trainers.kind import Kind, kind_of
from dataflywheel.rows.trainers.pictures import COLUMNS


@dataclass
class Spool:
    """Records of one kind, waiting on disk, and the columns that any of them has."""

    file: IO[bytes]
    keys: dict[str, None] = field(default_factory=dict)
    media: set[str] = field(default_factory=set)
    count: int = 0

    def add(self, record: Record, row: Row) -> None:
        self.keys.update(dict.fromkeys(record))
        self.media.update(f"{medium['type']}s" for medium in row["media"] or ())
        self.file.write(orjson.dumps(record) + b"\n")
        self.count += 1

    def records(self) -> Iterator[Record]:
        """All records with the same columns, since loaders take those of the first for those of all."""
        empty: Record = {key: [] if key in COLUMNS else {} if key == SETTINGS else None for key in self.keys}
        self.file.seek(0)
        for line in self.file:
            yield {**empty, **orjson.loads(line)}


class KindFiles:
    """The files of one conversion for a trainer."""

    def __init__(
        self, trainer: Trainer, target: Path, container: str, origins: Callable[[Row], Record] | None = None
    ) -> None:
        """`origins` gives what is told of a row under `flywheel`, a column that trainers pass over."""
        self.trainer, self.target, self.container, self.origins = trainer, target, container, origins
        self.spools: dict[Kind, Spool] = {}

    def add(self, row: Row) -> None:
        """Add a row.

        Raises:
            CannotHold: the trainer has no place for it.
        """
        kind = kind_of(row)
        record = self.trainer.record(kind, row)
        if self.origins is not None:
            record[OURS] = self.origins(row)
        if kind not in self.spools:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.spools[kind] = Spool(tempfile.TemporaryFile(dir=self.target.parent))  # noqa: SIM115 - closed in `write`
        self.spools[kind].add(record, row)

    def write(self, folder: Path) -> tuple[dict[str, dict[str, object]], list[Path]]:
        """Write the files, under the asked name where all rows are of one kind, and what describes them to the trainer.

        `folder` is where they will lie in the end. Gives path and records by kind, and the files beside.

        Raises:
            FlywheelError: the container cannot hold a record.
        """
        alone = len(self.spools) == 1
        if not alone and self.target.is_file():
            self.target.unlink()  # of an earlier conversion; what it held is now in the files by kind
        files: dict[str, dict[str, object]] = {}
        beside: list[Path] = []
        for kind, spool in self.spools.items():
            path = self.target if alone else named(self.target, kind)
            with spool.file:
                write_records(path, spool.records(), self.container, plain=True)
            files[kind] = {"path": str(path), "records": spool.count}
            beside += self.trainer.describe(path, kind, {*spool.keys, *spool.media}, folder / path.name)
        return files, list(dict.fromkeys(beside))


def named(target: Path, kind: Kind) -> Path:
    """The name of the file of one kind among several.

    >>> named(Path("out/rows.jsonl.gz"), "chat").name, named(Path("out/rows"), "kto").name
    ('rows.chat.jsonl.gz', 'rows-kto')
    """
    bare = stem(target)
    suffix = target.name[len(bare) :]
    return target.with_name(f"{bare}.{kind}{suffix}" if suffix else f"{bare}-{kind}")
