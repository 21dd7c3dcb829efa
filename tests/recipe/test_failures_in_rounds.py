"""A wheel whose generator writes from failures: nothing in the first round, the last evaluation's failures after it."""

from __future__ import annotations

import json
import math
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import REGISTRY
from dataflywheel.evolution.iteration.trial import read_scores, write_scores
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.why import as_text, why
from dataflywheel.rows.parts import read_rows
from tests.evolution.planted_wheels import GATES, IN_POOL, SameSkill, recipe, student, train
from tests.recipe.jobs import job
from tests.recipe.test_failures import Alike

STEPS: list[Any] = [
    {"decontaminate": {"semantic": None}},
    {"select": {"by": "random", "keep": 24}},
    {"generate": {"by": "alike", "source": "target", "rows": 12, "visits": 3, "gates": GATES}},
    {"train": {"max_steps": 3, "max_length": 96, "batch_size": 8}},
    "evaluate",
]


@pytest.fixture(autouse=True, scope="module")
def planted() -> Iterator[None]:
    REGISTRY[Alike.name] = Alike
    yield
    REGISTRY.pop(Alike.name)


def wheel(folder: Path) -> Recipe:
    models = {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"}
    guards = {"real_share": 0.3, "patience": 5}
    return job(folder, STEPS, rounds=2, feedback={"proportional": {}}, models=models, guards=guards)


def turn(folder: Path) -> Result:
    return run(wheel(folder), runs=folder / "runs", home=folder / "store")


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where the wheel lies, and its run."""
    folder = tmp_path_factory.mktemp("failures")
    return folder, turn(folder).path


def details(run: Path, round: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / f"round-{round}" / "03-generate" / "metrics.json").read_text())["details"]
    return found


def test_the_first_round_writes_nothing_and_says_why_and_its_rows_are_written_later(turned: tuple[Path, Path]) -> None:
    budgets = [json.loads((turned[1] / f"round-{r}" / "budget.json").read_text())["steps"] for r in (1, 2)]
    assert [budget["03-generate"] for budget in budgets] == [0, 12]
    first, second = (details(turned[1], round) for round in (1, 2))
    assert (first["added"], first["missing"]) == ([], {})
    assert "nothing was trained yet" in first["shortfall"]
    assert (len(second["added"]), second["shortfall"]) == (12, "")


def test_every_row_comes_from_the_worse_half_of_its_slice(turned: tuple[Path, Path]) -> None:
    scores = read_scores(turned[1] / "round-1" / "05-evaluate" / "scores-steer.parquet")
    slices = defaultdict(list)
    for id, name, value in zip(scores.ids, scores.slices, scores.value / scores.weight, strict=True):
        if not math.isnan(value):
            slices[name].append((-value, id))
    worse = {id: -value for rows in slices.values() for value, id in sorted(rows)[: math.ceil(len(rows) / 2)]}
    assert details(turned[1], 2)["failures"] == {"metric": "bits_per_byte", "rows": len(worse)}
    rows = read_rows(turned[1] / "round-2" / "03-generate" / "rows").to_pylist()
    made = [row for row in rows if row["made_by"] == "alike"]
    assert len(made) == 12
    assert {parent for row in made for parent in row["parents"]} <= set(worse)
    told = as_text(why(turned[1], made[0]["id"], turned[0] / "store"))
    parent = made[0]["parents"][0]
    assert f"because the student got row {parent} wrong: bits_per_byte {worse[parent]:.4g}" in told


def test_a_lost_step_comes_back_with_the_same_bytes(turned: tuple[Path, Path]) -> None:
    step = turned[1] / "round-2" / "03-generate"
    before = {p.name: p.read_bytes() for p in step.rglob("*.parquet")}
    shutil.rmtree(step)
    turn(turned[0])
    assert {p.name: p.read_bytes() for p in step.rglob("*.parquet")} == before


def test_the_same_again_does_nothing_and_other_scores_choose_anew(turned: tuple[Path, Path]) -> None:
    step, path = turned[1] / "round-2" / "03-generate", turned[1] / "round-1" / "05-evaluate" / "scores-steer.parquet"
    stamp, kept = (step / "metrics.json").stat().st_mtime_ns, path.read_bytes()
    turn(turned[0])
    assert (step / "metrics.json").stat().st_mtime_ns == stamp
    scores = read_scores(path)
    scores.value = scores.weight / scores.value
    write_scores(path, scores)
    before = pq.ParquetFile(step / "proposals.parquet").read().to_pylist()
    turn(turned[0])
    after = pq.ParquetFile(step / "proposals.parquet").read().to_pylist()
    assert {line["parents"][0] for line in before} != {line["parents"][0] for line in after}
    path.write_bytes(kept)


@pytest.mark.slow
def test_a_student_that_learnt_three_of_four_skills_is_taught_the_fourth(tmp_path: Path) -> None:
    """Against the same generator over the whole steering tier: what is known already gets no rows."""
    known, absent = IN_POOL[:3], IN_POOL[3]
    base = student(tmp_path)
    generate = {"by": "same_skill", "source": "target", "rows": 60, "visits": 9, "gates": GATES}
    steps = [
        {"decontaminate": {"semantic": None}},
        {"select": {"by": "random", "keep": 240}},
        {"generate": generate},
        train(16, 0.002),
        "evaluate",
    ]
    taught: dict[bool, tuple[float, float]] = {}
    for from_failures in (False, True):
        REGISTRY["same_skill"] = type("Failing", (SameSkill,), {"from_failures": from_failures})
        try:
            more: dict[str, Any] = {"target": dict.fromkeys(IN_POOL, 60), "rounds": 2, "feedback": {"proportional": {}}}
            made = recipe(tmp_path, f"taught-{from_failures}", 0, dict.fromkeys(known, 100), base, steps=steps, **more)
            made.target[0] = made.target[0].model_copy(update={"metric": "exact_match"})
            path = run(made, runs=tmp_path / "runs", home=tmp_path / "store").path
        finally:
            REGISTRY.pop("same_skill")
        one, two = (read_scores(path / f"round-{r}" / "05-evaluate" / "scores-steer.parquet") for r in (1, 2))
        rows = read_rows(path / "round-2" / "03-generate" / "rows").to_pylist()
        parents = [row["parents"][0] for row in rows if row["made_by"]]
        of_absent = sum(one.slices[list(one.ids).index(parent)] == absent for parent in parents) / len(parents)
        learnt = two.metric(two.slices == absent) - one.metric(one.slices == absent)
        taught[from_failures] = (of_absent, learnt)
        print(from_failures, {name: one.metric(one.slices == name) for name in IN_POOL}, of_absent, learnt)
        if from_failures:
            value = dict(zip(one.ids, one.value, strict=True))
            assert all(value[parent] == 0 for parent in parents)
    assert taught[True][0] > 0.7 > 0.4 > taught[False][0]
    assert taught[True][1] > taught[False][1]
