"""Selections that compare the pool with the target: what they are given, and when they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.planning.targeting import guides_and_judges
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.rows.parts import read_rows
from tests.models.copy_skill import conversation

FRUIT, METAL = ["apple", "pear", "plum", "fig", "quince"], ["iron", "zinc", "tin", "lead", "gold"]


def write_rows(path: Path, rows: list[tuple[str, str]], **more: str) -> Path:
    lines = [json.dumps({"prompt": prompt, "completion": answer, **more}) for prompt, answer in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def fruit(i: int) -> tuple[str, str]:
    return f"name a sweet fruit, number {i}", f"{FRUIT[i % 5]} and {FRUIT[(i // 5) % 5]} are fruit that grow on trees"


def metal(i: int) -> tuple[str, str]:
    pair = f"{METAL[i % 5]} with {METAL[(i // 5) % 5]}"
    return f"compute the metal {i} of ores", f"melt {pair} in the furnace at {i * 7} degrees at the least"


def recipe_of(folder: Path, **select: Any) -> dict[str, Any]:
    pool = write_rows(folder / "pool.jsonl", [fruit(i) for i in range(20)] + [metal(i) for i in range(60)])
    texts = [conversation(*pair) for pair in [*map(fruit, range(20)), *map(metal, range(60))]]
    wanted = write_rows(folder / "fruit.jsonl", [fruit(i) for i in range(100, 106)], skill="fruit")
    return {
        "name": "targeted",
        "pool": {"path": str(pool)},
        "target": {"path": str(wanted), "slice": "skill"},
        # A scorer that has only begun to learn the pool: nothing is left to tell rows by once it knows them by heart.
        "models": {"scorer": {"hf": str(train_tiny(texts, "0.5m", tokens=30_000))}},
        "steps": [{"select": select}],
    }


def kept(path: Path) -> list[str]:
    lines = (path / "dataset" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"][0]["content"] for line in lines]


def test_rds_plus_takes_the_rows_that_are_like_the_target(tmp_path: Path) -> None:
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    value = recipe_of(tmp_path, by="rds_plus", keep=15)
    found = run(recipe_from(value), **where)
    prompts = kept(found.path)
    assert len(prompts) == 15
    assert sum("fruit" in prompt for prompt in prompts) >= 14
    metrics = json.loads((found.path / "round-1" / "01-select" / "metrics.json").read_text())
    assert metrics["details"]["notes"]["rds_plus"]["queries"] == 6
    # Another target: the same pool, measured once, gives other rows.
    write_rows(tmp_path / "fruit.jsonl", [metal(i) for i in range(100, 106)], skill="metal")
    assert not any("fruit" in prompt for prompt in kept(run(recipe_from(value), **where).path))


def test_a_targeted_selection_without_a_target_is_refused_at_plan_time(tmp_path: Path) -> None:
    value = recipe_of(tmp_path, by="longest", then="rds_plus", keep=15) | {"target": []}
    with pytest.raises(UsageError, match=r"rds_plus compares rows with a target; name evaluation rows under `target:`"):
        plan(recipe_from(value))


def test_less_measures_steps_of_the_pool_and_gradients_of_the_target(tmp_path: Path) -> None:
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    value = recipe_of(tmp_path, by="less", keep=15)
    value["signals"] = {"gradient_projection": {"dimension": 512, "epochs": 2}}
    found = run(recipe_from(value), **where)
    prompts = kept(found.path)
    assert sum("fruit" in prompt for prompt in prompts) >= 14
    measured = sorted(path.name.split("-")[0] for path in (tmp_path / "store" / "signals").glob("gradient_*"))
    assert measured == ["gradient_projection@2"] * 2  # one for each direction
    metrics = json.loads((found.path / "round-1" / "01-select" / "metrics.json").read_text())
    assert "length_correlation" in metrics["details"]["notes"]["less"]
    priced = plan(recipe_from(value))["steps"][0]["cost"]
    assert priced["backward"] > 2 * 80


def test_rows_that_guide_the_choice_do_not_score_it(tmp_path: Path) -> None:
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    value = recipe_of(tmp_path, by="rds_plus", keep=15)
    write_rows(tmp_path / "fruit.jsonl", [fruit(i) for i in range(100, 130)], skill="fruit")
    value["models"]["student"] = {"builtin": "tiny", "size": "0.5m"}
    value["steps"] = [
        {"decontaminate": {}},
        *value["steps"],
        {"train": {"max_steps": 2, "max_length": 64}},
        "evaluate",
    ]
    found = run(recipe_from(value), **where)
    metrics = json.loads((found.path / "round-1" / "02-select" / "metrics.json").read_text())
    guiding = set(read_rows(found.path / "tiers" / "steer", ["id"])["id"].to_pylist())
    scored = set(read_scores(found.path / "round-1" / "04-evaluate" / "scores.parquet").ids)
    assert metrics["details"]["notes"]["rds_plus"]["queries"] == len(guiding) == 12
    assert len(scored) == 18
    assert not guiding & scored
    value["steps"][1] = {"select": {"by": "random", "keep": 15}}  # which looks at no target
    plain = run(recipe_from(value), **where)
    assert len(read_scores(plain.path / "round-1" / "04-evaluate" / "scores.parquet").ids) == 30
    recipe = recipe_from(value | {"compare": {"arms": ["random", "rds_plus"], "seeds": 2}})
    assert guides_and_judges(recipe, build_steps(recipe))
    write_rows(tmp_path / "fruit.jsonl", [fruit(100)], skill="fruit")
    value["steps"][1] = {"select": {"by": "rds_plus", "keep": 15}}
    with pytest.raises(FlywheelError, match="1 rows with different prompts are too few to guide the choice and"):
        run(recipe_from(value), **where)
