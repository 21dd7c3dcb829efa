"""What an endpoint failed at is tried again by the same command, and what follows from it is done anew."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint import account
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps import writing
from dataflywheel.rows.parts import read_rows
from tests.support.endpoint import Endpoint

FROGS = ("frog",)
JUDGED = ("Judge: It hops 0", "Judge: It hops 1")
JUDGE = """
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec

def score(answer, row):
    (reply,) = client_for(ModelSpec(endpoint="{url}", model="judge")).ask([Request.chat("Judge: " + answer)])
    return float(reply.text == "good") if reply.answered else None
"""
GATE = {"scored": {"by": {"python": {"function": "judge.py:score"}}}}
STEPS: dict[str, list[Any]] = {
    "a judge within a gate": [
        {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": [GATE]}},
        {"filter": {"bounds": {"text.tokens_answer": [1, 500]}}},
    ],
    "a selection": [
        {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 8}},
        {"filter": {"bounds": {"text.tokens_answer": [1, 500]}}},
    ],
    "a rewriter": [
        {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": []}},
        {"filter": {"bounds": {"text.tokens_answer": [1, 500]}}},
    ],
}


def behave(endpoint: Endpoint, kind: str, down: bool) -> None:
    matches = (JUDGED if "judge" in kind else FROGS) if down else ()
    script = [{"fault": "http_500", "match": match, "attempts": []} for match in matches]
    rater = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}
    judge = {"rule": "echo", "model": "judge", "text": "good"}
    rules: list[Any] = [judge, rater if kind == "a selection" else {"rule": "writer", "errors": 0.0}]
    endpoint.configure(rules=rules, script=script)


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_at_which_the_endpoint_failed_is_not_finished(
    kind: str, tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "Pace", partial(Pace, attempts=1, backoff=0.01, probe=0.05))
    rows = [{"prompt": f"How does a {a} move, number {i}?", "completion": f"It hops {i} times."} for i, a in
            enumerate(["frog", "frog", *["bird"] * 8])]  # fmt: skip
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "judge.py").write_text(JUDGE.replace("{url}", endpoint.url), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    teacher = {"endpoint": endpoint.url, "model": "m"}
    recipe = recipe_from(
        {
            "name": "a",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "models": {"teacher": teacher},
            "steps": STEPS[kind],
        }
    )

    def go(name: str) -> tuple[Result, dict[str, Any], list[str]]:
        result = run(recipe, runs=tmp_path / name, home=tmp_path / f"{name}-store")
        (first, last) = sorted(p for p in (result.path / "round-1").iterdir() if not p.name.startswith("00"))
        details = json.loads((first / "metrics.json").read_text(encoding="utf-8"))["details"]
        return result, details, read_rows(last / "rows", ["id"])["id"].to_pylist()

    behave(endpoint, kind, down=True)
    _, details, poor = go("runs")
    assert details["again"] == 2
    before = endpoint.bill()
    assert go("runs")[1]["again"] == 2  # they fail still: nothing else is asked but whether it is there
    assert endpoint.bill().paid_twice == before.paid_twice
    assert len(endpoint.bill().charged) <= len(before.charged) + 2

    behave(endpoint, kind, down=False)
    _, details, mended = go("runs")
    assert "again" not in details
    _, _, undisturbed = go("elsewhere")
    assert mended == undisturbed != poor
    calls = len(endpoint.bill().lines)
    assert go("runs")[2] == mended
    assert len(endpoint.bill().lines) == calls


def test_what_a_failed_step_spent_is_in_the_bill_at_once(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave(endpoint, "a rewriter", down=False)
    rows = [{"prompt": f"How does a bird move, number {i}?", "completion": f"It hops {i} times."} for i in range(8)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    teacher = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1.0, "out": 10.0}}
    pool = [{"path": str(tmp_path / "pool.jsonl")}]
    recipe = recipe_from({"name": "a", "pool": pool, "models": {"teacher": teacher}, "steps": STEPS["a rewriter"]})
    where = {"runs": tmp_path / "runs", "home": tmp_path / "store"}

    def total() -> float:
        return float(json.loads((tmp_path / "runs/a/ledger.json").read_text(encoding="utf-8"))["total"]["usd"])

    def fails(*given: Any) -> None:
        raise FlywheelError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(writing, "write_ledger", fails)
        with pytest.raises(FlywheelError, match="no space"):
            run(recipe, **where)
    paid = endpoint.bill().usd(1.0, 10.0)
    assert paid > 0
    assert total() == pytest.approx(paid)
    run(recipe, **where)
    assert endpoint.bill().usd(1.0, 10.0) == paid
    assert total() == pytest.approx(paid)
