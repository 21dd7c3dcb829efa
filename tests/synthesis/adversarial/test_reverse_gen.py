"""ReverseGen as a recipe: the steps that it stands for, what a plan says and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Around, UsageError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.synthesis.adversarial.reverse_gen import ReverseGen

TEACHER = {"endpoint": "http://127.0.0.1:9/v1", "model": "t", "usd_per_mtok": {"in": 1.0, "out": 1.0}}
MODELS: dict[str, Any] = {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static", "teacher": TEACHER}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [{"prompt": f"What is {i} and {i}?", "completion": f"#### {2 * i}"} for i in range(12)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "three.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:3]))
    (tmp_path / "target.jsonl").write_text('{"prompt": "Who goes there?", "completion": "A friend of the king."}\n')
    return tmp_path


def job(steps: list[Any], pool: str = "pool.jsonl", **more: Any) -> Recipe:
    return recipe_from({"name": "r", "pool": [{"path": pool}], "models": MODELS, "steps": steps, **more})


def test_it_stands_for_a_first_student_and_its_failures() -> None:
    assert ReverseGen(rows=20).steps(Around()) == [
        {"warm_up": {"by": "random", "keep": "100%"}},
        {"generate": {"by": {"failing_instructions": {}}, "rows": 20}},
    ]
    told = ReverseGen(rows=20, student=None, rounds=2, metric="exact_match", gates=["refusal"]).steps(Around())  # type: ignore[arg-type]
    by = {"failing_instructions": {"metric": {"exact_match": {}}, "rounds": 2}}
    assert told == [{"generate": {"by": by, "rows": 20, "gates": ["refusal"]}}]
    (first, _) = ReverseGen(rows=20, student={"epochs": 1}, training={"max_steps": 3}).steps(Around())  # type: ignore[arg-type]
    assert first == {"warm_up": {"by": "random", "keep": "100%", "epochs": 1}}


def test_a_plan_prices_attempts_answers_and_trainings(folder: Path) -> None:
    steps = [{"reverse_gen": {"rows": 5, "rounds": 2, "attempts": 10, "agree": 1}}, {"train": {"max_steps": 1}}]
    lines = plan(job(steps))["steps"]
    cost = next(line["cost"] for line in lines if "generate" in line["step"])
    assert cost["calls"] == 2 * 10 * (1 + 1 + 2)
    assert cost["usd"] > 0
    longer = [{"reverse_gen": {"rows": 5, "rounds": 4, "attempts": 10, "entropy": 1.193, "samples": 10}}]
    more = next(line["cost"] for line in plan(job(longer))["steps"] if "generate" in line["step"])
    assert more["calls"] == 4 * 10 * (1 + 10 + 2)


def test_what_a_plan_refuses(folder: Path) -> None:
    reverse = {"reverse_gen": {"rows": 5}}
    no_teacher = {name: given for name, given in MODELS.items() if name != "teacher"}
    behind = {"endpoint": "http://127.0.0.1:9/v1", "model": "s"}
    wheel = {"rounds": 2, "feedback": "uniform", "target": [{"path": "target.jsonl"}]}
    train: dict[str, Any] = {"train": {"max_steps": 1}}
    refused: list[tuple[list[Any], dict[str, Any], str]] = [
        ([reverse], {"models": no_teacher}, "asks a model: name one.*teacher"),
        ([reverse], {"models": {**MODELS, "student": behind}}, "endpoint"),
        ([{"reverse_gen": {"rows": 5, "student": None}}], {"models": {**MODELS, "student": behind}}, "its `proposer`"),
        ([{"decontaminate": {}}, reverse, train, "evaluate"], wheel, "a wheel has one from round to round.*rounds: 1"),
        ([reverse], {"pool": "three.jsonl"}, "needs 4 rows or more.*at most 3"),
        ([{"generate": {"by": "failing_instructions", "rows": 5}}], {"models": {"teacher": TEACHER}}, "to be trained"),
        ([{"reverse_gen": {"rows": 5, "atempts": 3}}], {}, "attempts"),
        ([{"reverse_gen": {"rows": "9 tokens"}}], {}, "counts tokens"),
        ([{"reverse_gen": {"rows": 5, "metric": "bits_per_byte"}}], {}, "does not say of one answer"),
    ]
    for steps, more, why in refused:
        with pytest.raises(UsageError, match=why):
            plan(job(steps, **more))
    known = {"generate": {"by": {"failing_instructions": {"target": behind, "proposer": {"hf": "x"}}}, "rows": 5}}
    assert plan(job([known], models={"teacher": TEACHER}))["steps"]
