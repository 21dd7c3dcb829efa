"""The data set of a run whose format cannot hold every row: the others are written, and each one left out is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.api import run
from dataflywheel.cli.plan import _unheld
from dataflywheel.cli.run import summary
from dataflywheel.contracts import FlywheelError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.why import why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.decisions import read_decisions

U = {"role": "user", "content": "Are you there?"}
A = {"role": "assistant", "content": "Yes."}
GOOD: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello!"}]}
TWICE: dict[str, Any] = {"messages": [U, U, A, A]}
PAIR: dict[str, Any] = {"prompt": "Which one?", "chosen": "The good one.", "rejected": "None."}


def recipe(folder: Path, *records: dict[str, Any], format: str = "llamafactory", train: bool = False) -> Recipe:
    pool = folder / "rows.jsonl"
    pool.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    steps: list[Any] = [{"deduplicate": {"near": 0.8}}]
    steps += ["train"] if train else []
    return recipe_from({"name": "r", "pool": [{"path": str(pool)}], "steps": steps, "format": format})


def test_a_run_ends_with_its_data_set_and_says_what_was_left_out(tmp_path: Path) -> None:
    job = recipe(tmp_path, GOOD, TWICE, PAIR)
    said = plan(job).dataset
    assert (said.format, said.looked_at, said.cannot_hold) == ("llamafactory", 3, 1)
    assert "alternate" in _unheld(said)[0]
    for _ in range(2):  # the second run finds everything done, and says the same
        result = run(job, runs=tmp_path / "runs", home=tmp_path / "store")
        assert (result.rows_in, result.rows_out, sum(result.left_out.values())) == (3, 2, 1)
        assert any("Left out" in line and "alternate" in line for line in summary(result))
        names = {path.name for path in (result.path / "dataset").iterdir()}
        assert names == {"train.chat.jsonl", "train.preference.jsonl", "dataset_info.json", "README.md"}
        step = result.path / "round-1" / "02-dataset"
        decisions = read_decisions(step / "decisions.parquet").to_pylist()
        [left] = [line for line in decisions if line["action"] == "dropped"]
        assert left["reason"].startswith("llamafactory cannot hold turns that do not alternate")
        assert len(decisions) == 3
        assert {line["id"] for line in decisions} - {left["id"]} == set(
            read_rows(step / "rows", ["id"])["id"].to_pylist()
        )
        life = why(result.path, left["id"], tmp_path / "store")
        assert (life["outcome"], life["steps"][-1]["reason"]) == ("dropped", left["reason"])
        card = (result.path / "dataset" / "README.md").read_text(encoding="utf-8")
        assert "config_name: preference" in card
        assert 'chat = load_dataset("json", data_files=["train.chat.jsonl"], split="train")' in card
        assert result.report is not None
        assert "llamafactory cannot hold turns that do not alternate" in result.report.read_text(encoding="utf-8")


def test_the_plan_looks_at_rows_under_the_names_that_the_recipe_gives(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "Hi.", "a": "Hello!"}\n', encoding="utf-8")
    pool = [{"path": str(tmp_path / "rows.jsonl"), "columns": {"prompt": "q", "answer": "a"}}]
    said = plan(recipe_from({"name": "r", "pool": pool, "steps": ["deduplicate"], "format": "llamafactory"}))["dataset"]
    assert (said["looked_at"], said["cannot_hold"]) == (1, 0)


def test_where_all_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    result = run(recipe(tmp_path, GOOD, TWICE, format="axolotl"), runs=tmp_path / "runs", home=tmp_path / "store")
    assert (result.rows_out, result.left_out) == (2, {})
    assert not (result.path / "round-1" / "02-dataset").exists()
    assert f"path: {result.path / 'dataset' / 'train.jsonl'}" in (
        result.path / "dataset" / "train.axolotl.yaml"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("train", [False, True])
def test_a_run_of_which_nothing_can_be_written_says_why_before_it_trains(tmp_path: Path, train: bool) -> None:
    with pytest.raises(FlywheelError, match="llamafactory cannot hold turns that do not alternate"):
        run(recipe(tmp_path, TWICE, train=train), runs=tmp_path / "runs", home=tmp_path / "store")
    assert not (tmp_path / "runs" / "r" / "models").exists()
