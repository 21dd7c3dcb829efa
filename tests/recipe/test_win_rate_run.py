"""A run whose trained model is judged against its target's references, paid on the run's account."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import dataflywheel as fw
from dataflywheel.recipe.load import recipe_from
from tests.evolution.judging.scripted import script, spec
from tests.support.endpoint import Endpoint


@pytest.mark.slow
def test_a_run_is_judged_in_both_orders_and_pays_once(endpoint: Endpoint, tmp_path: Path) -> None:
    script(endpoint)
    lines = [
        {"prompt": f"What is number {i}?", "completion": f"[[truth:{9 * (i % 2)}]] it is [[end]]"} for i in range(6)
    ]
    (tmp_path / "t.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    pool = [{"prompt": f"Say {i}", "completion": f"It is {i}."} for i in range(40)]
    (tmp_path / "p.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in pool))
    recipe = recipe_from(
        {
            "name": "judged",
            "pool": [{"path": str(tmp_path / "p.jsonl")}],
            "target": [{"path": str(tmp_path / "t.jsonl"), "metric": "win_rate"}],
            "models": {"teacher": spec(endpoint)},
            "steps": [{"decontaminate": {}}, {"train": {"epochs": 1}}, {"evaluate": {"max_new_tokens": 8}}],
        }
    )
    where = {"runs": tmp_path / "runs", "home": tmp_path / "home"}
    assert fw.plan(recipe, **where)["steps"][-1]["cost"]["calls"] == 12
    found = fw.run(recipe, **where)
    told = orjson.loads((found.path / "round-1" / "03-evaluate" / "metrics.json").read_bytes())
    assert told["details"]["metric"] == "win_rate"
    assert told["details"]["overall"]["n"] + told["details"]["not_scored"] == 6
    paid = len(endpoint.bill().charged)
    assert paid >= 12
    fw.run(recipe, **where)
    assert len(endpoint.bill().charged) == paid
