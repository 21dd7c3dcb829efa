"""What trainers read: files of exactly the fields a trainer asks for, and the description it wants beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.schema import Row
from dataflywheel.rows.trainers import axolotl, llamafactory, trl
from dataflywheel.rows.trainers.kind import Kind


@dataclass(frozen=True)
class Trainer:
    """How one trainer wants its data: a record of each row, and files beside them.

    `describe` takes the data file, its kind, the columns that its records hold, and where the file will lie.
    """

    name: str
    record: Callable[[Kind, Row], Record]
    describe: Callable[[Path, Kind, Collection[str], Path], list[Path]]


TRAINERS = {
    trainer.name: trainer
    for trainer in (
        Trainer("trl", trl.record, trl.describe),
        Trainer("llamafactory", llamafactory.sharegpt, partial(llamafactory.describe, formatting="sharegpt")),
        Trainer("llamafactory_alpaca", llamafactory.alpaca, partial(llamafactory.describe, formatting="alpaca")),
        Trainer("axolotl", axolotl.record, axolotl.describe),
    )
}
