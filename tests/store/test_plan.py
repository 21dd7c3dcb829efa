"""A plan is read as it was written, an earlier one too, and a part that a plugin added stays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from dataflywheel.contracts import Cost, FlywheelError
from dataflywheel.report.reading import read_typed
from dataflywheel.store.plan import FILE, Plan, PlannedPlugin, PlannedStep, Probed, Range, Shown


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    steps = [PlannedStep(index=3, step="select", params={"keep": 9}, rows=9, cost=Cost(seconds=1.5, tokens=7))]
    plugin = PlannedPlugin(plugin="my.py", digest="d", methods={"mine": {"summary": "What it does."}, "step": None})
    plan = Plan(name="job", seed=0, shown=Shown(rows=4), plugins=[plugin], steps=steps, total=Cost(seconds=1.5))
    plan.write(tmp_path)
    held = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert held == plan.as_dict()
    assert "comparison" not in held
    assert held["shown"] == {"rows": 4}
    found = read_typed(tmp_path / FILE, Plan)
    assert found.as_dict() == held
    assert (found.steps[0].place, found["steps"][0]["cost"]["tokens"]) == ("03-select", 7)
    assert list(found.plugged()) == ["mine", "step"]


def test_a_plan_of_before_and_one_with_more_are_read(tmp_path: Path) -> None:
    line = {"round": 1, "index": 1, "step": "filter", "rows": 0}
    (tmp_path / FILE).write_text(json.dumps({"name": "old", "steps": [line], "told_by_a_plugin": {"rows": 3}}))
    found = read_typed(tmp_path / FILE, Plan)
    assert (found.seed, found.steps[0].cost, found["told_by_a_plugin"]) == (None, Cost(), {"rows": 3})
    assert read_typed(tmp_path / "none.json", Plan) == Plan()
    (tmp_path / FILE).write_text(json.dumps({"steps": 3}))
    with pytest.raises(FlywheelError, match=r"plan\.json: steps is not as it was written; run the same recipe again"):
        read_typed(tmp_path / FILE, Plan)


def test_an_interval_that_is_not_known_is_null_in_the_file() -> None:
    one = Probed(signal="s", calls=Range(value=2, low=math.nan, high=math.nan))
    assert Plan(probe=[one]).as_dict()["probe"][0]["calls"] == {"value": 2, "low": None, "high": None}
