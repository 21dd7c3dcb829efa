"""What the steps of one execution share."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.recipe import asked_signals
from dataflywheel.recipe.contents import named_contents
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


def test_later_steps_of_an_execution_leave_failed_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_signals.catalog, "get", lambda name: Toy)
    rows = write(tmp_path / "rows", [*(f"row {i}" for i in range(20)), "BOOM"])
    recipe = job(tmp_path, CLEAN)
    for first in (21, 1):
        watcher = Measured()
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store", watcher)
        context._signals[context.asked("toy").same] = Toy()
        for step in ("first", "second", "third"):
            assert context.measured(rows, ["toy.length"], step).ok("toy.length").sum() == 20
        assert watcher.rows == {"first": first}


def test_what_lies_under_a_name_is_part_of_what_a_step_depends_on(tmp_path: Path) -> None:
    labels, model = tmp_path / "labels.jsonl", tmp_path / "model"
    labels.write_text("one", encoding="utf-8")
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    given = {"generate": [{"spin": {"model": {"hf": str(model)}}}], "gates": [{"labels": str(labels)}], "rows": 3}
    first = named_contents(given)
    assert (len(first), named_contents(given)) == (2, first)
    labels.write_text("two", encoding="utf-8")
    second = named_contents(given)
    assert (second[0], second[1] != first[1]) == (first[0], True)
    (model / "config.json").write_text("{ }", encoding="utf-8")
    assert named_contents(given)[0] != first[0]
    assert named_contents({"by": "no file", "long": "x" * 9000, "zero": "a\0b", "none": None, "empty": ""}) == []


def test_the_file_of_a_function_counts_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(answer, row):\n    return 1\n")
    given = {"gates": [{"scored": {"by": {"python": {"function": f"{tmp_path}/m.py:f"}}}}]}
    first = named_contents(given)
    (tmp_path / "m.py").write_text("def f(answer, row):\n    return 0\n")
    assert len(first) == 1
    assert named_contents(given) != first
