"""Killed at any moment, the same command finishes with the same bytes, and nothing that was answered is paid twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import CLEAN, write_pool
from tests.support.endpoint import Endpoint
from tests.support.kills import PRICE, Kills

FAULTS = {"http_429": 0.02, "http_500": 0.03, "reset_before": 0.02, "reset_after": 0.02, "slow": 0.02}
RULES: list[Any] = [
    {"rule": "rater", "model": "grader", "low": 0, "high": 5, "template": "$score\nBecause."},
    {"rule": "inventor", "model": "inventor"},
    {"rule": "writer", "errors": 0.2},
]
GATES = ["format_and_length", "meaning", "contamination"]
BY = ("instruction_backtranslation", "oss_instruct")
ENHANCE: dict[str, Any] = {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": GATES}}


def few(keep: int | str, by: Any = "random") -> dict[str, Any]:
    return {"select": {"by": by, "keep": keep}}


def rated(keep: int) -> dict[str, Any]:
    return few(keep, {"rated": {"score": "alpagasus.score"}})


def written(rows: int) -> dict[str, Any]:
    return {"generate": {"by": "grounded_questions", "rows": rows, "visits": 2}}


def invented(endpoint: Endpoint, by: str, rows: int, **given: Any) -> dict[str, Any]:
    model = {"endpoint": endpoint.url, "usd_per_mtok": PRICE, "concurrency": 8, "model": "inventor"}
    return {"generate": {"by": {by: {"model": model, **given}}, "rows": rows}}


def job(
    folder: Path, endpoint: Endpoint, steps: list[Any], faults: dict[str, float], rows: int = 400, **more: Any
) -> Kills:
    """A recipe over documented functions, whose models are behind the endpoint."""
    model = {"endpoint": endpoint.url, "usd_per_mtok": PRICE, "concurrency": 8}
    value = {
        "name": "job",
        "pool": [{"path": str(write_pool(folder, rows))}],
        "target": [{"path": str(write_pool(folder, split="held_out")), "slice": "tag"}],
        "models": {
            "student": {"builtin": "tiny", "size": "0.5m"},
            "embedder": "static",
            "teacher": {**model, "model": "writer"},
        },
        "signals": {"alpagasus": {"model": {**model, "model": "grader"}}},
        "steps": steps,
        **more,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    latency, slow = {"median_ms": 15, "sigma": 0.3}, 0.3
    plan = {"rules": RULES, "faults": faults, "latency": latency, "slow_seconds": slow}
    return Kills(folder, endpoint, plan)


def cleaning(folder: Path, endpoint: Endpoint, data: Path) -> Kills:
    pool = folder / "pool.parquet"
    pq.write_table(pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(0, 3000), pool)
    return job(folder, endpoint, [*CLEAN[:3], few("10%", "k_center")], {}, pool=[{"path": str(pool)}])


def ratings(folder: Path, endpoint: Endpoint, data: Path) -> Kills:
    return job(folder, endpoint, [CLEAN[2], few(150), rated(40)], FAULTS | {"odd_usage": 0.2})


def writing(folder: Path, endpoint: Endpoint, data: Path) -> Kills:
    return job(folder, endpoint, [few(60), ENHANCE, written(20)], FAULTS)


def five_writers(folder: Path, endpoint: Endpoint, data: Path) -> Kills:
    grid = {"topic": ["rain", "wind"], "level": ["easy", "hard"]}
    new = [invented(endpoint, by, 12) for by in BY]
    steps = [few(40), ENHANCE, written(12), *new, invented(endpoint, "attribute_grid", 8, grid=grid, each=2)]
    return job(folder, endpoint, steps, FAULTS)


def wheel(folder: Path, endpoint: Endpoint, data: Path) -> Kills:
    train = {"train": {"max_steps": 3, "max_length": 96, "batch_size": 8, "save_steps": 1}}
    steps = [*CLEAN[:3], few(24), ENHANCE, written(12), train, "evaluate"]
    turns = {"rounds": 3, "feedback": {"weakest_slices": {"minimum_n": 3}}, "guards": {"patience": 5}}
    return job(folder, endpoint, steps, {"reset_after": 0.02}, **turns)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [cleaning, ratings, writing, wheel])
def test_killed_at_fifty_random_moments(
    kind: Callable[[Path, Endpoint, Path], Kills], endpoint: Endpoint, tmp_path: Path, data: Path
) -> None:
    kills = kind(tmp_path, endpoint, data)
    kills.go(50, reach=0.9)
    assert kills.within > 25
    assert kills.finished >= 2
    assert kills.on_their_way <= 8 * 50


@pytest.mark.slow
def test_five_writers_killed_at_twenty_random_moments(endpoint: Endpoint, tmp_path: Path, data: Path) -> None:
    kills = five_writers(tmp_path, endpoint, data)
    kills.go(20)
    wrote = {row["made_by"] for row in read_rows(tmp_path / "calm/runs/job/round-1/06-generate/rows").to_pylist()}
    assert wrote == {
        "",
        "revision",
        "grounded_questions",
        "instruction_backtranslation",
        "oss_instruct",
        "attribute_grid",
    }
    assert kills.within > 10
    assert kills.on_their_way <= 8 * 20


def test_killed_at_six_random_moments_of_everything(endpoint: Endpoint, tmp_path: Path) -> None:
    faults = {"http_500": 0.02, "reset_after": 0.03, "odd_usage": 0.1}
    kills = job(tmp_path, endpoint, [few(24), rated(12), ENHANCE, written(6)], faults, rows=60)
    kills.go(6)
    assert kills.within > 2
