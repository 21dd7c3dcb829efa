"""Plans: counts that are right, nothing written, and training tokens near what training then reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.plan import plan
from dataflywheel.rows.python_docs import python_docs
from tests.recipe.jobs import CLEAN, TRAIN, job


def test_a_plan_counts_without_doing(tmp_path: Path) -> None:
    recipe = job(tmp_path, [*CLEAN, *TRAIN])
    found = plan(recipe)
    rows = len(list(python_docs())[::29][:400])
    assert found["pool"]["rows"] == rows
    assert [s["step"] for s in found["steps"]] == [
        "deduplicate",
        "decontaminate",
        "filter",
        "select",
        "train",
        "evaluate",
    ]
    assert found["steps"][3]["rows"] == round(rows * 0.2)
    assert found["total"]["usd"] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["held_out.jsonl", "pool.jsonl"]


def test_a_comparison_is_priced_by_arms_and_seeds(tmp_path: Path) -> None:
    alone = plan(job(tmp_path, [*CLEAN, *TRAIN]))
    with_arms = plan(job(tmp_path, [*CLEAN, *TRAIN], compare={"arms": ["random", "longest"], "seeds": 3}))
    one = sum(s["cost"]["tokens"] for s in alone["steps"] if s["step"] in ("train", "evaluate"))
    assert with_arms["comparison"]["cost"]["tokens"] == 9 * one


def test_a_pattern_under_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = job(tmp_path, CLEAN)
    everywhere = {"pool": [{"path": "~/po*.jsonl"}], "target": [{"path": "~/**/held_*.jsonl"}]}
    by_pattern = job(tmp_path, CLEAN, **everywhere)
    assert plan(by_pattern)["pool"] == plan(recipe)["pool"]
    with pytest.raises(UsageError, match=r"pool\[0\].path: ~/pa\*.jsonl is not there"):
        plan(job(tmp_path, CLEAN, pool=[{"path": "~/pa*.jsonl"}]))


@pytest.mark.slow
def test_planned_training_tokens_are_near_those_read(tmp_path: Path) -> None:
    steps = [
        {"decontaminate": {"semantic": None}},
        {"select": {"by": "random", "keep": "50%"}},
        {"train": {"epochs": 2}},
        "evaluate",
    ]
    recipe = job(tmp_path, steps)
    planned = next(s for s in plan(recipe)["steps"] if s["step"] == "train")["cost"]["tokens"]
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    import json

    read = json.loads((result.path / "round-1" / "03-train" / "metrics.json").read_text())["details"]["tokens"]
    assert 0.5 < planned / read < 2
