"""LANCE as a recipe: its steps, a round on scripted models with every row's ancestors, the same bytes after kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.contracts import Around, UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.parts import read_rows
from dataflywheel.synthesis.instruction.lance import Lance
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint
from tests.support.kills import PRICE, Kills


def written(folder: Path, endpoint: Endpoint) -> Path:
    (folder / "own.py").write_text("def score(answer, row=None):\n    return float(len(answer))\n", encoding="utf-8")
    grader = {"endpoint": endpoint.url, "model": "grader", "usd_per_mtok": PRICE}
    by = {"python": f"{folder}/own.py:score"}
    value = {
        "name": "job",
        "pool": [{"path": str(write_pool(folder, rows=40))}],
        "target": [{"path": str(write_pool(folder, split="held_out"))}],
        "models": {
            "student": {"builtin": "tiny", "size": "0.5m"},
            "embedder": "static",
            "teacher": {**grader, "model": "writer"},
        },
        "signals": {"alpagasus": {"model": grader}},
        "steps": [
            {"decontaminate": {"semantic": None}},
            {"select": {"by": "random", "keep": 16}},
            {"lance": {"rows": 8, "at_least": 0, "pairs": 6, "candidates": 2, "by": by}},
            {"train": {"pairs": False, "max_steps": 2, "max_length": 96}},
            {"prefer": {"max_steps": 2, "max_length": 96}},
        ],
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    return folder / "recipe.yaml"


PLAN: dict[str, Any] = {
    "rules": [
        {"rule": "rater", "model": "grader", "low": 0, "high": 5, "template": "$score\nBecause."},
        {"rule": "inventor"},
    ]
}


def test_it_stands_for_its_steps() -> None:
    models = {"teacher": {"endpoint": "http://127.0.0.1:9/v1", "model": "m"}}
    assert [next(iter(one)) for one in Lance(rows=5).steps(Around(models))] == [
        "generate", "deduplicate", "filter", "generate",
    ]  # fmt: skip
    steps = Lance(rows=5, gates=["refusal"], candidates=3).steps(Around(models))
    assert steps[0] == {"generate": {"by": "self_instruct", "rows": 5, "gates": ["refusal"]}}
    assert steps[2] == {"filter": {"bounds": {"alpagasus.score": [4.0, None]}}}
    assert steps[3]["generate"]["by"] == {"best_of_n": {"by": {"rubric": {}}, "candidates": 3}}
    with pytest.raises(UsageError, match="name a model under"):
        Lance(rows=5).steps(Around())


def test_one_round_ends_with_every_rows_ancestors(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(**PLAN)
    recipe = load_recipe(written(tmp_path, endpoint))
    told = plan(recipe).total
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    places = {path.name: path / "rows" for path in (done.path / "round-1").iterdir() if (path / "rows").is_dir()}
    held = {name: read_rows(place).to_pylist() for name, place in places.items()}
    rows = held[max(name for name in held if "generate" in name)]
    by = {row["made_by"] for row in rows}
    assert by == {"", "self_instruct", "best_of_n"}
    known = {row["id"] for part in held.values() for row in part}
    assert all(set(row["parents"]) <= known for row in rows)
    assert all(row["parents"] for row in rows if row["made_by"] == "best_of_n")
    pairs = [row for row in rows if row["rejected"]]
    assert {row["made_by"] for row in pairs} == {"best_of_n"}
    for row in pairs:
        chosen, rejected = (len(turns[-1]["content"]) for turns in (row["messages"], row["rejected"]))
        assert chosen > rejected
    assert done.model is not None
    assert told.calls > 0
    assert len({line.key for line in endpoint.bill().charged}) == len(endpoint.bill().charged) > 0


@pytest.mark.slow
def test_killed_it_ends_with_the_same_bytes(endpoint: Endpoint, tmp_path: Path) -> None:
    written(tmp_path, endpoint)
    faults = {"odd_usage": 0.0}  # the store holds the student's own answers too, which no server has billed
    kills = Kills(tmp_path, endpoint, {**PLAN, "faults": faults, "latency": {"median_ms": 15, "sigma": 0.3}})
    kills.go(4)
    assert kills.killed == 4
    assert kills.finished >= 1
