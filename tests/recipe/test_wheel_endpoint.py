"""A wheel with a model behind an endpoint: rows revised and written through gates, and nothing paid twice."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import job
from tests.recipe.test_wheel import CLEANED
from tests.support.endpoint import Endpoint

KILLS = 20
AT_ONCE = 4
"""Requests under way together: what a kill may have to pay again."""
LONGEST = 600.0
STEPS: list[Any] = [
    {"select": {"by": "random", "keep": 30}},
    {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": ["format_and_length", "meaning", "contamination"]}},
    {"generate": {"by": "grounded_questions", "rows": 15, "visits": 2}},
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


def outcome(run: Path) -> dict[str, str]:
    """Digest of what a run is for: rows, decisions, models, the final data set."""
    files = [*run.glob("round-*/*/rows/part-*.parquet"), *run.glob("round-*/*/decisions.parquet")]
    files += [*run.glob("dataset/train.jsonl"), *run.glob("models/student/*.safetensors")]
    return {str(f.relative_to(run)): hashlib.blake2b(f.read_bytes()).hexdigest() for f in sorted(files)}


def ledger(result: Result) -> dict[str, float]:
    found: dict[str, dict[str, float]] = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))
    return found["total"]


def test_rows_are_revised_and_written_and_the_bill_is_the_servers(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.3}])
    result = run(wheel(tmp_path, endpoint, 2), runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(result.path / "round-2" / "07-accumulate" / "rows").to_pylist()
    by = {name: [row for row in rows if row["made_by"] == name] for name in ("revision", "grounded_questions")}
    assert len(by["revision"]) > 10
    told = [
        json.loads((result.path / f"round-{r}" / "06-generate" / "metrics.json").read_text())["details"] for r in (1, 2)
    ]
    short = sum(sum(one["missing"].values()) for one in told)
    assert len(by["grounded_questions"]) == 15 - short > 10
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


@pytest.mark.slow
def test_killed_at_random_moments_of_three_rounds_nothing_is_paid_twice(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.2}])
    recipe = wheel(tmp_path, endpoint, 3)
    value = recipe.model_dump(mode="json")
    value["models"]["teacher"] |= {"usd_per_mtok": PRICE, "concurrency": AT_ONCE}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")

    def command(name: str) -> list[str]:
        where = ["--runs", str(tmp_path / name / "runs"), "--home", str(tmp_path / name / "store")]
        return [sys.executable, "-m", "dataflywheel.cli.main", "run", str(tmp_path / "recipe.yaml"), *where]

    began = time.monotonic()
    subprocess.run(command("calm"), check=True, capture_output=True, timeout=300)
    whole = time.monotonic() - began
    calm, paid = outcome(tmp_path / "calm" / "runs" / "job"), len(endpoint.bill().charged)
    assert len(calm) > 30
    moments, killed, ended = random.Random(0), 0, [paid]

    def finished() -> None:
        assert outcome(tmp_path / "killed" / "runs" / "job") == calm
        ended.append(len(endpoint.bill().charged))

    while killed < KILLS and time.monotonic() - began < LONGEST:
        process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=moments.uniform(0.1, 0.5) * whole)
            finished()
            shutil.rmtree(tmp_path / "killed")  # begin again from nothing
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
            process.wait()
    assert killed == KILLS
    subprocess.run(command("killed"), check=True, capture_output=True, timeout=300)
    finished()
    keys, twice = [line.key for line in endpoint.bill().charged], 0
    for start, end in pairwise(ended):  # from nothing to a finished run
        assert len(set(keys[start:end])) == paid
        twice += end - start - paid
    assert twice <= AT_ONCE * killed  # only what was under way at a kill, which the ledger counts as maybe paid
