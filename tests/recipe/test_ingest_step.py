"""The pool and the target as a run holds them."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import ingest_pool, ingest_target
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import job


def test_another_division_into_tiers_is_another_target_to_the_steps(tmp_path: Path) -> None:
    steps = [{"select": {"by": "random", "keep": 9}}, "train", "evaluate"]
    found, steering = [], []
    for steer in (0.4, 0.2, 0.4):
        tiers = {"steer": steer, "select": 0.3, "sealed": 0.7 - steer}
        recipe = job(tmp_path, steps, rounds=2, feedback="uniform", tiers=tiers)
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
        context = ingest_target(context)
        assert context.guide is not None
        found.append(context.target_digest)
        steering.append(count_rows(context.guide))
    assert found[0] == found[2] != found[1]
    assert steering[0] == steering[2] > steering[1]


def test_every_row_of_the_pool_has_a_decision_that_counts_its_copies(tmp_path: Path) -> None:
    recipe = job(tmp_path, [{"select": {"by": "random", "keep": 9}}])
    lines = (tmp_path / "pool.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "pool.jsonl").write_text("\n".join([*lines, lines[2], lines[2]]), encoding="utf-8")
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    context, _ = ingest_pool(context)
    pool = context.run.step(0, "pool")
    told = read_decisions(pool / "decisions.parquet")
    assert told["id"].to_pylist() == read_rows(pool / "rows", ["id"])["id"].to_pylist()
    assert set(told["action"].to_pylist()) == {"kept"}
    assert [i for i, why in enumerate(told["reason"].to_pylist()) if why == "read: 3 identical rows merged"] == [2]
    assert sum(why == "read" for why in told["reason"].to_pylist()) == len(told) - 1
