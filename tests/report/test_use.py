"""How to load what came of a run, and what to do next."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.use import following, loading, use
from dataflywheel.store.atomic import write_json
from dataflywheel.store.record import StepRecord
from tests.report.comparison import comparison


def run_of(folder: Path, *records: StepRecord, planned: int = 0) -> Run:
    for index, record in enumerate(records):
        record.write(folder / "round-1" / f"{index:02d}-{record.step}")
    (folder / "dataset").mkdir()
    (folder / "dataset" / "train.jsonl").write_text('{"a": "b"}\n', encoding="utf-8")
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    steps = [{"round": 1, "index": 9, "step": "train", "rows": 0}] * planned
    write_json(folder / "plan.json", {"name": "a", "seed": 0, "steps": steps})
    return load_run(folder)


TRAINED = StepRecord(step="train", details={"model": "models/student", "steps": 3})


def test_the_lines_are_python_that_opens_what_is_there(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    code = loading(run_of(tmp_path, StepRecord(step="pool"), TRAINED))
    assert f'AutoModelForCausalLM.from_pretrained("{tmp_path}/models/student")' in code
    tree = ast.parse(code)
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "load_dataset")
    files = ast.literal_eval(call.keywords[0].value)
    read = datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert read["train"][0] == {"a": "b"}


def test_the_next_command_follows_from_what_was_done(tmp_path: Path) -> None:
    selected = run_of(tmp_path / "a", StepRecord(step="pool"))
    assert [command.split()[1] for command, _ in following(selected)] == ["why"]
    measured = run_of(tmp_path / "b", StepRecord(step="pool"), TRAINED, StepRecord(step="evaluate"))
    assert following(measured)[0][0] == f"flywheel compare {tmp_path}/b/recipe.yaml"
    assert "leave_one_out" not in following(measured)[0][1]
    write_json(tmp_path / "b" / "compare.json", comparison())
    assert "leave_one_out" in following(load_run(tmp_path / "b"))[0][1]
    stopped = run_of(tmp_path / "c", StepRecord(step="pool"), planned=1)
    assert [command for command, _ in following(stopped)] == [f"flywheel run {tmp_path}/c/recipe.yaml"]


def test_paths_are_quoted_and_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "a <b> & c"
    shown = use(run_of(folder, StepRecord(step="pool"), TRAINED))
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert "'" + str(folder / "models" / "student") + "'" in shown.replace("&#x27;", "'").replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&amp;", "&")
