"""What the steps of one execution share."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.progress import Silent
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import CLEAN, job
from tests.signals.test_measure import write
from tests.signals.toy import Toy


class Measured(Silent):
    """Remembers how many rows each step measured."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        self.rows[step] = done


def test_later_steps_of_an_execution_leave_failed_rows_alone(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", [*(f"row {i}" for i in range(20)), "BOOM"])
    recipe = job(tmp_path, CLEAN)
    for first in (21, 1):
        watcher = Measured()
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store", watcher)
        context._signals["toy:{}"] = Toy()
        for step in ("first", "second", "third"):
            assert context.measured(rows, ["toy.length"], step).ok("toy.length").sum() == 20
        assert watcher.rows == {"first": first}
