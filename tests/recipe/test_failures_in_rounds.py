"""A wheel whose generator writes from failures: nothing in the first round, the last evaluation's failures after it."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import REGISTRY
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.html import write_report
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.seal import read_sealed, write_sealed
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


def test_the_report_says_why_the_first_round_wrote_nothing(turned: tuple[Path, Path]) -> None:
    page = write_report(turned[1]).read_text(encoding="utf-8")
    assert "nothing was trained yet" in page
    assert "round 2, generate by alike" in page


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
    record = read_sealed(path.parent)
    write_scores(path, scores)
    write_sealed(path.parent, record)
    before = pq.ParquetFile(step / "proposals.parquet").read().to_pylist()
    turn(turned[0])
    after = pq.ParquetFile(step / "proposals.parquet").read().to_pylist()
    assert {line["parents"][0] for line in before} != {line["parents"][0] for line in after}
    path.write_bytes(kept)


def test_without_rounds_the_model_that_was_trained_before_is_asked(turned: tuple[Path, Path]) -> None:
    """Each row comes from the worse half of all rows, by bits per byte counted here."""
    folder = turned[0]
    steps = [STEPS[1], STEPS[3], {"generate": {"by": "alike", "rows": 9, "gates": []}}]
    models = {"student": {"builtin": "tiny", "size": "0.5m"}}
    made = job(folder, steps, name="once", target=[], models=models)
    path = run(made, runs=folder / "runs", home=folder / "store").path
    rows = read_rows(path / "round-1" / "01-select" / "rows").to_pylist()
    loaded = LanguageModel.load(ModelSpec(hf=str(path / "models" / "student")))
    nats = loaded.answer_scores(loaded.encode([row["messages"] for row in rows])).total
    size = [len(row["messages"][-1]["content"].encode()) for row in rows]
    order = sorted(range(24), key=lambda i: -nats[i] / size[i])
    worse = {rows[i]["id"] for i in order[:12]}
    assert details(path, 1)["failures"] == {"metric": "bits_per_byte", "rows": 12}
    written = [row for row in read_rows(path / "round-1" / "03-generate" / "rows").to_pylist() if row["made_by"]]
    assert len({row["parents"][0] for row in written} & worse) == len(written) == 9


@pytest.mark.slow
def test_a_student_that_learnt_three_of_four_skills_is_taught_the_fourth(tmp_path: Path) -> None:
    """Against as many rows by the same generator from the whole steering tier, right answers included."""
    known, absent = IN_POOL[:3], IN_POOL[3]
    base = student(Path(os.environ["FLYWHEEL_CACHE"]))
    generate = {"by": "same_skill", "source": "target", "rows": 60, "visits": 9, "gates": GATES}
    more: dict[str, Any] = {
        "target": dict.fromkeys(IN_POOL, 60),
        "steps": [
            STEPS[0],
            {"select": {"by": "random", "keep": 240}},
            {"generate": generate},
            train(12, 0.002),
            STEPS[-1],
        ],
        "rounds": 2,
        "feedback": {"proportional": {}},
    }
    sealed, made = {}, {}
    for failing in (False, True):
        REGISTRY["same_skill"] = type("Failing", (SameSkill,), {"from_failures": failing})
        try:
            job = recipe(tmp_path, f"taught-{failing}", 2, dict.fromkeys(known, 100), base, **more)
            job.target[0] = job.target[0].model_copy(update={"metric": "exact_match"})
            path = run(job, runs=tmp_path / "runs", home=tmp_path / "store").path
        finally:
            REGISTRY.pop("same_skill")
        found = read_scores(path / "sealed" / "scores.parquet")
        sealed[failing] = {name: found.metric(found.slices == name) for name in IN_POOL}
        rows = read_rows(path / "round-2" / "03-generate" / "rows").to_pylist()
        made[failing] = [row for row in rows if row["made_by"]]
    print(sealed)
    steer = read_scores(path / "round-1" / "05-evaluate" / "scores-steer.parquet")
    failed = {id for id, value in zip(steer.ids, steer.value, strict=True) if value == 0}
    assert {row["parents"][0] for row in made[True]} <= failed
    assert len(made[True]) == 60
    assert sum(absent in row["tags"] for row in made[True]) >= 30  # it fails at one row of another skill, too
    assert sum(absent in row["tags"] for row in made[False]) < 15
    assert sealed[True][absent] > sealed[False][absent] + 0.1
    assert min(sealed[True][name] for name in known) > 0.9
