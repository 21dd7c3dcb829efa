"""A recipe for the files at hand: what it says of them is so, and it is planned as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.drafting import drafted, files_here
from dataflywheel.recipe.init import init
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.shipped import names, shipped
from dataflywheel.store.plan import Plan


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def chats(n: int) -> list[dict[str, Any]]:
    return [{"prompt": f"What is {i} and {i}?", "completion": f"It is {2 * i}, as everybody knows."} for i in range(n)]


def pairs(n: int) -> list[dict[str, Any]]:
    return [{"prompt": f"Who is {i}?", "chosen": f"He is number {i}.", "rejected": "I do not know."} for i in range(n)]


def planned(folder: Path, pool: list[str], target: str | None, model: str = "") -> tuple[str, Plan]:
    text = drafted(pool, target, model, "first")
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    return text, plan(folder / "recipe.yaml", runs=folder / "runs", home=folder / "home")


def steps(found: Plan) -> list[str]:
    return [step.step for step in found.steps]


def test_with_a_target_it_trains_measures_and_compares(tmp_path: Path) -> None:
    pool, target = write(tmp_path / "pool.jsonl", chats(80)), write(tmp_path / "eval.jsonl", chats(90)[80:])
    text, found = planned(tmp_path, [pool], target)
    assert steps(found) == ["deduplicate", "decontaminate", "filter", "select", "train", "evaluate"]
    assert found.comparison is not None
    assert "About 80 rows." in text
    assert "Fewer than 60" in text
    assert load_recipe(tmp_path / "recipe.yaml").target[0].metric == "bits_per_byte"


def test_without_a_target_nothing_is_trained_and_the_way_there_is_told(tmp_path: Path) -> None:
    text, found = planned(tmp_path, [write(tmp_path / "pool.jsonl", chats(80))], None)
    assert steps(found) == ["deduplicate", "filter", "select"]
    assert "# target:" in text


@pytest.mark.parametrize(("rows", "learned"), [(pairs(40), "{}"), ([*pairs(20), *chats(20)], "{pairs: false}")])
def test_pairs_are_preferred(tmp_path: Path, rows: list[dict[str, Any]], learned: str) -> None:
    pool, target = write(tmp_path / "pool.jsonl", rows), write(tmp_path / "eval.jsonl", chats(70)[50:])
    text, found = planned(tmp_path, [pool], target)
    assert steps(found)[-3:] == ["train", "prefer", "evaluate"]
    assert f"- train: {learned}" in text
    assert found.comparison is None


@pytest.mark.parametrize(
    ("row", "metric"),
    [
        ({"question": "1 + 1?", "answer": "We add.\n#### 2"}, "final_answer"),
        ({"prompt": "def f():", "completion": "    return 1", "tests": "assert f() == 1"}, "unit_tests"),
        ({"prompt": "Red or green?", "completion": "red", "choices": ["red", "green"]}, "multiple_choice"),
        ({"prompt": "Tell me of the sea.", "completion": "It is wide."}, "bits_per_byte"),
    ],
)
def test_the_metric_is_one_that_the_rows_can_be_scored_by(tmp_path: Path, row: dict[str, Any], metric: str) -> None:
    rows = [{**row, next(iter(row)): f"{row[next(iter(row))]} {i}"} for i in range(70)]
    pool, target = write(tmp_path / "pool.jsonl", chats(40)), write(tmp_path / "eval.jsonl", rows)
    assert f"metric: {metric}  #" in drafted([pool], target, "some/model", "first")
    toy = drafted([pool], target, "", "first")
    assert "metric: bits_per_byte  #" in toy
    assert metric in toy


def test_odd_names_are_written_so_that_they_are_read_back(tmp_path: Path) -> None:
    for name in ("no", "a: b.jsonl", "ünï #1.jsonl", "12", 'quo"te.jsonl', "- x.jsonl", "{a}.jsonl"):
        pool = write(tmp_path / (name if name.endswith("jsonl") else f"{name}.jsonl"), chats(20))
        (tmp_path / "recipe.yaml").write_text(drafted([pool], None, "", "no"), encoding="utf-8")
        read = load_recipe(tmp_path / "recipe.yaml")
        assert (read.pool[0].path, read.name) == (pool, "no")


def test_what_holds_no_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"foo": 1}\n', encoding="utf-8")
    with pytest.raises(FlywheelError, match=r"pool\.jsonl: no row can be read"):
        drafted([str(tmp_path / "pool.jsonl")], None, "", "first")
    with pytest.raises(UsageError, match="no data file for the pool"):
        drafted([], None, "", "first")


def test_a_file_for_scoring_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("latest.jsonl", "b.csv", "my_test.jsonl", "notes.md", ".hidden.jsonl"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    here = [str(tmp_path / name) for name in ("b.csv", "latest.jsonl")]
    assert files_here(tmp_path) == (here, str(tmp_path / "my_test.jsonl"))
    (tmp_path / "eval.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"eval.jsonl my_test.jsonl: several files to score by.*--target eval.jsonl"):
        files_here(tmp_path)  # the other one would be trained on


def test_a_file_is_not_pool_and_target_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "pool.jsonl", chats(30))
    said = CliRunner().invoke(app, ["init", "pool.jsonl", "--target", "pool.jsonl"])
    assert "pool.jsonl: named for the pool and as the target" in str(said.exception)
    assert not Path("recipe.yaml").exists()


def test_the_verb_writes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "pool.jsonl", chats(30))
    write(tmp_path / "eval.jsonl", chats(40)[30:])
    said = CliRunner().invoke(app, ["init"])
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[0] == "recipe.yaml: pool.jsonl for the pool, eval.jsonl to score by"
    assert load_recipe(Path("recipe.yaml")).pool[0].path == "pool.jsonl"
    again = CliRunner().invoke(app, ["init"])
    assert isinstance(again.exception, UsageError)
    assert "is there already" in str(again.exception)


def test_files_that_cannot_be_read_are_left_out_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "pool.jsonl", chats(30))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 this is none")
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "eval.jsonl").write_text('{"foo": 1}\n', encoding="utf-8")
    said = CliRunner().invoke(app, ["init"])
    assert said.exit_code == 0, said.exception
    lines = said.output.splitlines()
    assert lines[0] == "recipe.yaml: pool.jsonl for the pool, nothing to score by (--target)"
    told = [line.removeprefix("left out, since it cannot be read: ") for line in lines[1:-1]]
    assert [line.split(": ")[0] for line in told] == ["broken.parquet", "empty.jsonl", "eval.jsonl"]
    assert all(line.split(": ", 1)[1] for line in told)
    assert [source.path for source in load_recipe(Path("recipe.yaml")).pool] == ["pool.jsonl"]


def test_where_none_can_be_read_each_has_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / name).write_bytes(b"PAR1 this is none")
    with pytest.raises(FlywheelError, match=r"(?s)a\.parquet.*b\.parquet"):
        CliRunner().invoke(app, ["init"], catch_exceptions=False)
    with pytest.raises(FlywheelError, match=r"nowhere\.jsonl"):
        CliRunner().invoke(app, ["init", "nowhere.jsonl"], catch_exceptions=False)
    assert not Path("recipe.yaml").exists()


def test_recipes_come_with_the_package(tmp_path: Path) -> None:
    assert {"flywheel", "cleaning", "spin"} <= set(names())
    for name in names():
        (tmp_path / "a.yaml").write_text(shipped(name), encoding="utf-8")
        assert load_recipe(tmp_path / "a.yaml").steps
    with pytest.raises(UsageError, match="did you mean"):
        shipped("flywhel")


def test_a_copied_recipe_has_its_data_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path("recipes").resolve()
    monkeypatch.chdir(tmp_path)
    for name in names():
        lines = init(like=name, out=Path(name) / "mine.yaml")
        assert "recipes/" not in re.sub("(?m)^ *#.*", "", Path(name, "mine.yaml").read_text(encoding="utf-8"))
        for file in Path(name).iterdir():
            if file.name != "mine.yaml":
                assert file.read_bytes() == (own / file.name).read_bytes()
                assert str(file) in lines[0]
    assert sorted(path.name for path in Path("safety").iterdir()) == ["letters.jsonl", "manners.jsonl", "mine.yaml"]
    assert load_recipe(Path("safety/mine.yaml")).pool[0].path == "safety/letters.jsonl"
    Path("other").mkdir()
    Path("other/letters.jsonl").write_text("mine")
    with pytest.raises(UsageError, match=r"letters\.jsonl.*is there already"):
        init(like="safety", out="other/mine.yaml")
    assert [path.name for path in Path("other").iterdir()] == ["letters.jsonl"]
