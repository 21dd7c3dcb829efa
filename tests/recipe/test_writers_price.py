"""What is written on this machine is priced by its limit: an upper bound, and said to be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.store.ledger import Ledger
from tests.models.copy_skill import copy_model, copy_rows

ENDPOINT = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "capabilities": {"json_schema": True}}


def writing(folder: Path, step: dict[str, Any], teacher: dict[str, Any]) -> Recipe:
    rows = [{"messages": row} for row in copy_rows(12, seed=3)]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    value = {"name": "written", "pool": {"path": str(folder / "pool.jsonl")}, "models": {"teacher": teacher}}
    return recipe_from({**value, "steps": [step]})


def test_a_writer_on_this_machine_takes_no_more_than_was_planned(tmp_path: Path) -> None:
    step = {"enhance": {"by": {"sequence_level": {"max_tokens": 32}}, "gates": []}}
    made = writing(tmp_path, step, {"hf": str(copy_model())})
    planned = plan(made, home=tmp_path / "home")
    run(made, runs=tmp_path / "runs", home=tmp_path / "home")
    paid = Ledger(tmp_path / "runs" / "written" / "ledger.json").steps["round-1/01-enhance"]
    assert 0 < paid.calls <= planned.steps[0].cost.calls
    assert paid.tokens <= planned.steps[0].cost.tokens
    (note,) = [one for one in planned.notes if "at most" in one or "the most" in one]
    assert note.startswith("01-enhance: a model on this machine writes")
    assert "all of its 32 tokens" in note


@pytest.mark.parametrize("step", ["sequence_level", "self_instruct"])
def test_the_limit_is_the_price_of_those_here_alone(step: str, tmp_path: Path) -> None:
    verb, more = ("enhance", {}) if step == "sequence_level" else ("generate", {"rows": 8})

    def cost(teacher: dict[str, Any], limit: int) -> tuple[int, int, float, list[str]]:
        made = writing(tmp_path, {verb: {"by": {step: {"max_tokens": limit}}, **more}}, teacher)
        found = plan(made, home=tmp_path / "home")
        one = found.steps[0].cost
        return one.calls, one.tokens, one.seconds, [line for line in found.notes if "on this machine" in line]

    here = {"hf": str(copy_model())}
    calls, tokens, seconds, notes = cost(here, 1000)
    assert tokens >= calls * 1000
    assert notes
    assert cost(here, 2000)[1] - tokens == calls * 1000
    assert cost(here, 2000)[2] > seconds >= 1000 * 0.005
    there = cost(ENDPOINT, 1000)
    assert there[1] < calls * 1000
    assert there[1:3] == cost(ENDPOINT, 2000)[1:3]
    assert not there[3]
