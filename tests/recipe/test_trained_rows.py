"""Every row that a training is given has a decision, and the plan says beforehand which will not be trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.templates.chat import UNWANTED
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.html import write_report
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.decisions import read_decisions
from tests.models.copy_skill import copy_model

ROWS = [
    *({"prompt": f"Say {i}.", "completion": f"{i}!"} for i in range(9)),
    {"messages": [{"role": "user", "content": "Is anybody there?"}]},
    {
        "messages": [{"role": "user", "content": "<image>What is it?"}, {"role": "assistant", "content": "A cat."}],
        "images": ["cat.png"],
    },
    {
        "messages": [
            {"role": "user", "content": "Name a prime."},
            {"role": "assistant", "content": "Nine.", "weight": 0},
        ]
    },
    {"prompt": "Say bye.", "completion": "Get lost.", "label": False},
]
REASONS = {
    "not trained, it does not end with an answer",
    "not trained, it shows images or sounds, and only text is learned",
    "not trained, all its answers are marked as not to be learned",
    f"not trained, {UNWANTED}",
}


LONG = {"prompt": "Count.", "completion": " ".join(map(str, range(90)))}


def test_what_is_not_trained_is_told_before_and_decided_on(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, LONG]), encoding="utf-8")
    recipe = recipe_from(
        {
            "name": "trained",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
            "steps": [
                {"select": {"by": "random", "keep": "100%"}},
                {"train": {"max_steps": 1, "max_length": 32, "batch_size": 4}},
            ],
        }
    )
    shown = plan(recipe)["shown"]
    assert (shown["rows"], shown["changed"], shown["cut"]) == (14, {}, 1)
    assert {f"not trained, {reason}" for reason in shown["not_trained"]} == REASONS
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "home")
    step = result.path / "round-1" / "02-train"
    decisions = read_decisions(step / "decisions.parquet")
    chosen = read_rows(result.path / "round-1" / "01-select" / "rows", ["id"])["id"].to_pylist()
    assert sorted(decisions["id"].to_pylist()) == sorted(chosen)
    pairs = list(zip(decisions["action"].to_pylist(), decisions["reason"].to_pylist(), strict=True))
    assert pairs.count(("kept", "trained")) == 9
    cut = "trained, without the end of its answer, since it is longer than max_length"
    assert pairs.count(("kept", cut)) == 1
    assert {reason for action, reason in pairs if action == "dropped"} == REASONS
    metrics = json.loads((step / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["rows_in"], metrics["rows_out"], metrics["details"]["not_trained"]) == (14, 10, 4)
    page = write_report(result.path).read_text(encoding="utf-8")
    assert "10 of 14 rows were learned." in page
    assert all(reason in page for reason in REASONS)


def test_a_student_that_was_never_fetched_is_planned_without_the_network(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text(json.dumps({"prompt": "a", "completion": "b"}) + "\n", encoding="utf-8")
    steps = [{"select": {"by": "random", "keep": 1}}, {"train": {}}]
    pool, models = [{"path": str(tmp_path / "pool.jsonl")}], {"student": {"hf": "nobody/nothing"}}
    found = plan(recipe_from({"name": "hub", "pool": pool, "models": models, "steps": steps}))
    assert found["shown"] == {"unseen": "the tokenizer of nobody/nothing is not on this machine yet"}


def short_sighted(folder: Path) -> Path:
    """A model that was built for 24 tokens."""
    made = shutil.copytree(copy_model(), folder / "short")
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    (made / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 24}), encoding="utf-8")
    return made


def recipe_of(folder: Path, rows: list[dict[str, Any]], steps: list[Any], **models: Any) -> Any:
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pool = [{"path": str(folder / "pool.jsonl")}]
    return recipe_from({"name": "trained", "pool": pool, "models": models, "steps": steps})


@pytest.mark.parametrize("work", ["train", "prefer"])
def test_the_plan_knows_how_much_the_student_can_read(work: str, tmp_path: Path) -> None:
    rows = [{"prompt": f"repeat am{'ber' * i}", "chosen": "bas il " * i, "rejected": "del"} for i in range(1, 12)]
    steps = [{"train": {"max_steps": 1, "batch_size": 11}}, *([{"prefer": {}}] if work == "prefer" else [])]
    recipe = recipe_of(tmp_path, rows, steps, student={"hf": str(short_sighted(tmp_path))})
    planned = plan(recipe)
    if work == "train":
        result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "home")
        details = json.loads((result.path / "round-1/01-train/metrics.json").read_text(encoding="utf-8"))["details"]
        assert (planned["shown"]["cut"], planned["shown"]["not_trained"]) == (details["cut"], {})
        assert 0 < details["cut"] < 11
    else:
        [(why, count)] = planned["shown_pairs"]["not_trained"].items()
        assert (why, 0 < count < 11) == ("its answers leave no room for the prompt in 24 tokens", True)


def test_prompts_that_a_step_answers_first_are_no_reason_to_refuse_the_plan(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"What is {i}?"}]} for i in range(3)]
    teacher = {"endpoint": "http://localhost:9/v1", "model": "large"}
    models = {"student": {"builtin": "tiny", "size": "0.5m"}, "teacher": teacher}
    found = plan(recipe_of(tmp_path, rows, [{"enhance": {"by": "sequence_level"}}, {"train": {}}], **models))
    assert (found["shown"]["rewritten"], found["shown"]["not_trained"]) == (True, {"it does not end with an answer": 3})
    with pytest.raises(UsageError, match="none of the first 3 rows can be trained: 3: it does not end"):
        plan(recipe_of(tmp_path, rows, [{"train": {}}], **models))
