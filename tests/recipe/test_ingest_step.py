"""The target as a run holds it."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.ingest_step import ingest_target
from dataflywheel.rows.parts import count_rows
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import job


def test_another_division_into_tiers_is_another_target_to_the_steps(tmp_path: Path) -> None:
    steps = [{"select": {"by": "random", "keep": 9}}, "train", "evaluate"]
    found, steering = [], []
    for steer in (0.4, 0.2, 0.4):
        tiers = {"steer": steer, "select": 0.3, "sealed": 0.7 - steer}
        recipe = job(tmp_path, steps, rounds=2, feedback="uniform", tiers=tiers)
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
        ingest_target(context)
        assert context.guide is not None
        found.append(context.target_digest)
        steering.append(count_rows(context.guide))
    assert found[0] == found[2] != found[1]
    assert steering[0] == steering[2] > steering[1]
