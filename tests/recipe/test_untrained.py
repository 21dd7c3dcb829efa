"""The student before any training: scored once on the rows that are scored, billed and planned by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.steps.evaluate import Evaluating
from dataflywheel.recipe.steps.untrained import UNTRAINED
from dataflywheel.rows.parts import read_rows
from tests.recipe.jobs import job

STEPS: list[Any] = [
    {"decontaminate": {"semantic": None}},
    {"select": {"by": "random", "keep": 24}},
    {"train": {"max_steps": 2, "max_length": 64, "batch_size": 4}},
]


def details(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["details"]
    return found


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "models"))
    return {"runs": tmp_path / "runs", "home": tmp_path / "home"}


def test_it_is_scored_once_as_by_hand_and_billed_as_planned(tmp_path: Path, options: dict[str, Path]) -> None:
    recipe = job(tmp_path, [*STEPS, "evaluate"])
    (line,) = (one for one in plan(recipe, home=options["home"]).helpers if one.what == UNTRAINED)
    assert (line.before, line.there) == ("04-evaluate", False)
    result = run(recipe, **options)
    step = result.path / "round-1" / "04-evaluate"
    found, trained = read_scores(step / "untrained.parquet"), read_scores(step / "scores.parquet")
    assert list(found.ids) == list(trained.ids)

    (student,) = (path for path in (tmp_path / "models").glob("init-*") if path.is_dir())
    rows = read_rows(result.path / "target" / "rows")
    model = LanguageModel.load(ModelSpec(hf=str(student)))
    own = score_rows(model, rows, ["bits_per_byte"] * len(rows), list(found.slices), Evaluate())
    np.testing.assert_allclose(found.value, own.value, rtol=1e-5)
    assert details(step)["untrained"]["overall"]["value"] == pytest.approx(own.metric())
    assert details(step)["untrained"]["overall"]["value"] > details(step)["overall"]["value"]

    bills = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))["steps"]
    (bill,) = (bill for name, bill in bills.items() if name.startswith("helpers/untrained-student-"))
    assert (bill["forward"], bill["backward"]) == (line.cost.forward, 0) == (len(rows), 0)
    assert bill["tokens"] == pytest.approx(line.cost.tokens, rel=0.5)  # the plan takes four characters for a token
    assert bill["tokens"] == bills["round-1/04-evaluate"]["tokens"]

    again = run(job(tmp_path, [*STEPS[:1], {"select": {"by": "random", "keep": 12}}, *STEPS[2:], "evaluate"],
                    name="other"), **options)  # fmt: skip
    assert details(again.path / "round-1" / "04-evaluate")["untrained"] == details(step)["untrained"]
    others = json.loads((again.path / "ledger.json").read_text(encoding="utf-8"))["steps"]
    assert not any(name.startswith("helpers/") for name in others)
    (line,) = (one for one in plan(recipe, home=options["home"]).helpers if one.what == UNTRAINED)
    assert (line.there, line.cost.forward) == (True, 0)
    guided = job(tmp_path, [*STEPS[:1], {"select": {"by": "dsir", "keep": 24}}, *STEPS[2:], "evaluate"], name="guided")
    turned = job(tmp_path, [*STEPS, "evaluate"], rounds=2, feedback={"uniform": {}})
    for other in (guided, turned):  # they score a part of these rows, as nobody did
        (line,) = (one for one in plan(other, home=options["home"]).helpers if one.what == UNTRAINED)
        assert not line.there
    run(guided, **options)
    (line,) = (one for one in plan(guided, home=options["home"]).helpers if one.what == UNTRAINED)
    assert line.there


def test_it_can_be_left_out_and_changes_no_fingerprint(tmp_path: Path, options: dict[str, Path]) -> None:
    recipe = job(tmp_path, [*STEPS, {"evaluate": {"untrained": False}}])
    assert not any(one.what == UNTRAINED for one in plan(recipe, home=options["home"]).helpers)
    step = run(recipe, **options).path / "round-1" / "04-evaluate"
    assert "untrained" not in details(step)
    assert not (step / "untrained.parquet").exists()
    with_it, without = (Evaluating(4, "evaluate", Evaluate(untrained=on)) for on in (True, False))
    assert with_it.identity() == without.identity()
    assert "untrained" not in with_it.identity()


def test_written_answers_of_both_models_are_kept(tmp_path: Path, options: dict[str, Path]) -> None:
    target = [{"path": str(tmp_path / "held_out.jsonl"), "metric": "exact_match"}]
    recipe = job(tmp_path, [*STEPS, {"evaluate": {"max_new_tokens": 4}}], target=target)
    lines = (tmp_path / "held_out.jsonl").read_text(encoding="utf-8").splitlines()[:6]
    (tmp_path / "held_out.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    step = run(recipe, **options).path / "round-1" / "04-evaluate"
    trained, base = read_scores(step / "scores.parquet"), read_scores(step / "untrained.parquet")
    assert len(trained.answer) == len(base.answer) == len(trained.ids)
    assert trained.answer.tolist() != base.answer.tolist()
