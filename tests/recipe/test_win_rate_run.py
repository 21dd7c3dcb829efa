"""A run whose trained model is judged against its target's references, paid on the run's account."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

import dataflywheel as fw
from dataflywheel.evolution.feedback import evaluate
from dataflywheel.evolution.feedback.answering import Answered
from dataflywheel.models.endpoint import account
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.recipe.execute import Result
from dataflywheel.recipe.load import recipe_from
from tests.evolution.judging.scripted import KNOWS, script, spec
from tests.support.endpoint import Endpoint


@pytest.mark.slow
def test_a_run_is_judged_in_both_orders_and_pays_once(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    down = [{"fault": "http_500", "match": "number 3?", "attempts": []}]
    said = Answered(["[[truth:5]] it may be [[end]]"])  # the small model says nothing
    monkeypatch.setattr(evaluate, "answers", lambda model, questions, *more: [said] * len(questions))
    monkeypatch.setattr(account, "Pace", partial(Pace, attempts=1, backoff=0.01))
    endpoint.configure(rules=[*KNOWS, {"rule": "judge"}], script=down)

    def told(found: Result) -> tuple[dict[str, Any], float]:
        step = orjson.loads((found.path / "round-1" / "03-evaluate" / "metrics.json").read_bytes())
        return step["details"], orjson.loads((found.path / "ledger.json").read_bytes())["total"]["calls"]

    details, _ = told(fw.run(recipe, **where))
    assert (details["again"], details["not_scored"]) == (2, 1)
    script(endpoint)
    found = fw.run(recipe, **where)
    details, billed = told(found)
    assert details["metric"] == "win_rate"
    assert "again" not in details  # the judge is there again: what it failed at was asked, and nothing else
    assert (details["overall"]["n"], details["not_scored"]) == (6, 0)
    paid = len(endpoint.bill().charged)
    assert 12 <= paid == billed
    assert endpoint.bill().paid_twice == {}
    fw.run(recipe, **where)
    assert len(endpoint.bill().charged) == paid
