"""ReverseGen as a recipe: the steps that it stands for, what a plan says and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Around, UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.html import write_report
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.record import StepRecord
from dataflywheel.synthesis.adversarial.reverse_gen import ReverseGen
from tests.support.endpoint import Endpoint

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


def test_models_of_its_own_keep_their_price_and_pace(folder: Path) -> None:
    """As where the step is written out: a target that costs is charged, and asked as fast as was said."""
    asked = {"endpoint": "http://127.0.0.1:9/v1", "model": "weak", "usd_per_mtok": {"in": 7.0}, "concurrency": 3}
    asked |= {"timeout": 9.0, "patience": 2.0, "batch": False}
    (step,) = ReverseGen(rows=20, student=None, target=dict(asked), proposer="./mine").steps(Around())  # type: ignore[arg-type]
    given = step["generate"]["by"]["failing_instructions"]
    assert given["target"] == asked
    assert given["proposer"] == {"hf": "./mine"}
    free = {name: value for name, value in asked.items() if name != "usd_per_mtok"}
    costs = []
    for target in (free, asked):
        lines = plan(job([{"reverse_gen": {"rows": 5, "rounds": 2, "attempts": 10, "target": dict(target)}}]))["steps"]
        costs.append(next(line["cost"]["usd"] for line in lines if "generate" in line["step"]))
    assert costs[1] > costs[0] > 0


def test_a_plan_prices_attempts_answers_and_trainings(folder: Path) -> None:
    steps = [{"reverse_gen": {"rows": 5, "rounds": 2, "attempts": 10, "agree": 1}}, {"train": {"max_steps": 1}}]
    lines = plan(job(steps))["steps"]
    cost = next(line["cost"] for line in lines if "generate" in line["step"])
    assert cost["calls"] == 2 * 10 * (1 + 1 + 2) + 1
    assert cost["usd"] > 0
    longer = [{"reverse_gen": {"rows": 5, "rounds": 4, "attempts": 10, "entropy": 1.193, "samples": 10}}]
    more = next(line["cost"] for line in plan(job(longer))["steps"] if "generate" in line["step"])
    assert more["calls"] == 4 * 10 * (1 + 10 + 2) + 1


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
        ([{"reverse_gen": {"rows": 5, "student": {"keep": 3}}}], {}, "student: 'keep' is no setting of a training"),
        ([{"mods": {"reward": "final_answer", "seed": 3, "training": {"by": "random"}}}], {}, "training: 'by' is no"),
        ([{"reverse_gen": {"rows": 5, "atempts": 3}}], {}, "attempts"),
        ([{"reverse_gen": {"rows": "9 tokens"}}], {}, "counts tokens"),
        ([{"reverse_gen": {"rows": 5, "target": {**behind, "api_key": "k"}}}], {}, "reverse_gen.target: a key is kept"),
        ([{"reverse_gen": {"rows": 5, "metric": "bits_per_byte"}}], {}, "does not say of one answer"),
    ]
    for steps, more, why in refused:
        with pytest.raises(UsageError, match=why):
            plan(job(steps, **more))
    known = {"generate": {"by": {"failing_instructions": {"target": behind, "proposer": {"hf": "x"}}}, "rows": 5}}
    assert plan(job([known], models={"teacher": TEACHER}))["steps"]


def interrupted(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """The process ends at this step of its trainings; no step of them is the 0th."""
    from transformers import Trainer

    step, done = Trainer.training_step, iter(range(1, 1000))

    def counted(*given: Any, **more: Any) -> Any:
        if next(done) == at:
            raise KeyboardInterrupt
        return step(*given, **more)

    monkeypatch.setattr(Trainer, "training_step", counted)


@pytest.mark.slow
def test_killed_within_its_trainings_it_gives_the_same_rows_and_pays_nothing_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    endpoint.configure(rules=[{"rule": "solver"}])
    lines = [{"prompt": f"{i} + {i % 7}", "completion": f"#### {i + i % 7}"} for i in range(60)]
    (folder / "pool.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    brief = {"max_steps": 3, "batch_size": 4, "max_length": 64}
    enough = {"max_steps": 40, "batch_size": 8, "max_length": 64, "learning_rate": 5e-3, "save_steps": 10}
    seeking = {
        "rows": 4, "rounds": 2, "attempts": 24, "most_alike": 0.95, "student": enough, "warm_up": enough, "agree": 0,
        "training": brief, "instruction_tokens": 16, "answer_tokens": 16, "max_tokens": 16, "draws": 2,
        "metric": {"python": {"function": str(folder / "odd.py:score")}}, "gates": ["refusal"],
    }  # fmt: skip
    (folder / "odd.py").write_text(
        "def score(answer, row):\n    return float(len(row['messages'][0]['content']) % 2)\n"
    )
    student = {"builtin": "tiny", "size": "0.5m", "tokens": 10_000}
    models = {**MODELS, "student": student, "teacher": {"endpoint": endpoint.url, "model": "t"}}
    made = job([{"reverse_gen": seeking}], models=models)

    def go(name: str) -> Path:
        run(made, runs=folder / name / "runs", home=folder / name / "store")
        return folder / name / "runs" / "r"

    monkeypatch.setenv("FLYWHEEL_CACHE", str(folder / "calm" / "models"))
    calm = go("calm")
    bill = sorted(line.key for line in endpoint.bill().charged)
    monkeypatch.setenv("FLYWHEEL_CACHE", str(folder / "killed" / "models"))
    endpoint.reset()
    endpoint.configure(rules=[{"rule": "solver"}])
    for at in (25, 45, 22):  # within the student's, the proposer's first and its second training
        with monkeypatch.context() as within:
            interrupted(within, at)
            with pytest.raises(KeyboardInterrupt):
                go("killed")
    killed = go("killed")
    assert (killed / "dataset" / "train.jsonl").read_bytes() == (calm / "dataset" / "train.jsonl").read_bytes()
    assert sorted(line.key for line in endpoint.bill().charged) == bill
    record = StepRecord.read(calm / "round-1" / "02-generate")
    first, second = record.details["sought"]["rounds"]
    assert first["attempts"] == second["attempts"] == 24
    assert first["learned"]["pairs"] > 0
    assert 0 < first["failure_rate"] < 1
    rows = [row for row in read_rows(calm / "round-1" / "02-generate" / "rows").to_pylist() if row["made_by"]]
    assert len(rows) == 4 <= first["rows"] + second["rows"]
    assert all(len(row["messages"][0]["content"]) % 2 == 0 for row in rows)
    assert all(len(row["parents"]) == 3 for row in rows)
    assert "Attempts to make the student fail" in write_report(calm).read_text(encoding="utf-8")
