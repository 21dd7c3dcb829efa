"""A wheel with a model behind an endpoint: rows revised and written through gates, and nothing paid twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import job
from tests.recipe.test_wheel import CLEANED
from tests.support.endpoint import Endpoint

STEPS: list[Any] = [
    {"select": {"by": "random", "keep": 20}},
    {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": ["format_and_length", "meaning", "contamination"]}},
    {"generate": {"by": "grounded_questions", "rows": 10, "visits": 2}},
    {"train": {"max_steps": 3, "max_length": 96, "batch_size": 8, "save_steps": 1}},
    "evaluate",
]
PRICE = {"in": 1.0, "out": 10.0}


def wheel(folder: Path, endpoint: Endpoint, rounds: int, budget: dict[str, Any] | None = None) -> Recipe:
    more: dict[str, Any] = {
        "rounds": rounds,
        "feedback": {"weakest_slices": {"minimum_n": 3}},
        "models": {
            "student": {"builtin": "tiny", "size": "0.5m"},
            "embedder": "static",
            "teacher": {"endpoint": endpoint.url, "model": "writer", "usd_per_mtok": PRICE},
        },
        "guards": {"patience": 5},
        "budget": budget or {},
    }
    return job(folder, [*CLEANED, *STEPS], **more)


def ledger(result: Result) -> dict[str, float]:
    found: dict[str, dict[str, float]] = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))
    return found["total"]


def test_rows_are_revised_and_written_and_the_bill_is_the_servers(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.3}])
    result = run(wheel(tmp_path, endpoint, 2), runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(result.path / "round-2" / "07-accumulate" / "rows").to_pylist()
    by = {name: [row for row in rows if row["made_by"] == name] for name in ("revision", "grounded_questions")}
    assert len(by["revision"]) > 6
    told = [
        json.loads((result.path / f"round-{r}" / "06-generate" / "metrics.json").read_text())["details"] for r in (1, 2)
    ]
    short = sum(sum(one["missing"].values()) for one in told)
    assert len(by["grounded_questions"]) == 10 - short > 6
    assert all(bool(one["missing"]) == bool(one["shortfall"]) for one in told)
    assert not any("4711" in row["messages"][-1]["content"] for row in rows)
    assert all("whole of it" in row["messages"][-1]["content"] for row in by["revision"])
    paid = endpoint.bill().charged
    assert len({line.key for line in paid}) == len(paid)
    assert ledger(result)["calls"] == len(paid)
    again = run(wheel(tmp_path, endpoint, 2), runs=tmp_path / "runs", home=tmp_path / "store")
    shutil.rmtree(tmp_path / "runs")
    replayed = run(wheel(tmp_path, endpoint, 2), runs=tmp_path / "runs", home=tmp_path / "store")
    assert len(endpoint.bill().charged) == len(paid)
    assert again.rows_out == replayed.rows_out == result.rows_out


def test_a_cap_stops_the_wheel_with_what_is_there_and_a_higher_one_goes_on(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer"}])
    stopped = run(wheel(tmp_path, endpoint, 2, {"calls": 20}), runs=tmp_path / "runs", home=tmp_path / "store")
    assert "cap" in stopped.stopped
    assert len(endpoint.bill().charged) == 20
    assert stopped.rows_out > 0
    whole = run(wheel(tmp_path, endpoint, 2), runs=tmp_path / "runs", home=tmp_path / "store")
    assert whole.stopped == ""
    keys = [line.key for line in endpoint.bill().charged]
    assert len(set(keys)) == len(keys)


def test_the_recipe_that_is_shipped_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_URL", "http://localhost:9/v1")
    recipe = load_recipe(Path("recipes/flywheel-endpoint.yaml"))
    assert recipe.rounds == 3
    assert {name for name, _ in recipe.named_steps()} >= {"select", "enhance", "generate", "distill", "evaluate"}
