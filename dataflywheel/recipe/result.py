"""What comes out of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.formats.beside import without_origin
from dataflywheel.rows.formats.draft import Record
from dataflywheel.store.evaluation import Evaluation
from dataflywheel.store.scoreboard import Scoreboard

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame


@dataclass
class Result:
    """Where a run's results lie and what came out."""

    path: Path
    rows_in: int
    rows_out: int
    """Rows that the last finished step left."""
    dataset: Path | None = None
    """`dataset/`; of a run that did not come to its end `dataset.partial/`, or None where no step has changed the
    pool."""
    model: Path | None = None
    evaluation: Evaluation | None = None
    comparison: Scoreboard | None = None
    stopped: str = ""
    """Which budget ended it, or what it waits for, and where; "" when it came to its end."""
    rounds: int = 1
    left_out: dict[str, int] = field(default_factory=dict)  # final rows that the format cannot hold, by reason
    not_carried: dict[str, int] = field(default_factory=dict)  # fields that it has no place for, by rows that have them
    held_apart: int = 0  # rows in `quarantine/`, which are in no data set
    ended: str = ""
    """Why a wheel ended before its last round, "" where it turned to the end."""

    def as_dict(self) -> dict[str, Any]:
        held = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}
        typed = {"evaluation": self.evaluation, "comparison": self.comparison}
        return {**held, **{name: None if found is None else found.as_dict() for name, found in typed.items()}}

    @property
    def rows(self) -> list[Record]:
        """The data set's rows, as they are written for the trainer, without what each tells of its origin. Where chats
        and pairs have files of their own, one after the other.

        Raises:
            FlywheelError: there is no data set, since the run ended early.
        """
        files = sorted((self.path / "dataset").glob("*.jsonl"))
        if not files:
            raise FlywheelError(f"{self.path}: no data set{f', {self.stopped}' if self.stopped else ''}")
        return [without_origin(orjson.loads(line)) for file in files for line in file.read_bytes().splitlines()]

    def to_pandas(self) -> DataFrame:
        """The data set's rows."""
        from pandas import DataFrame

        return DataFrame(self.rows)

    def to_dataset(self) -> Dataset:
        """The data set's rows as a `datasets.Dataset`."""
        from datasets import Dataset

        return Dataset.from_list(self.rows)
