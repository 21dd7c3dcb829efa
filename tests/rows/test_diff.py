"""What changed between two data sets, against a planted change."""

from __future__ import annotations

import json
from pathlib import Path

from dataflywheel.rows.diff import diff
from dataflywheel.rows.ingest import Input, ingest


def write(path: Path, pairs: list[tuple[str, str]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"prompt": q, "completion": a}) + "\n" for q, a in pairs), encoding="utf-8")
    return str(path)


def test_planted_changes_are_told_apart(tmp_path: Path) -> None:
    a = write(
        tmp_path / "a.jsonl",
        [("same", "1"), ("same", "1"), ("edited", "old"), ("gone", "x"), ("twice", "1"), ("twice", "2")],
    )
    b = write(tmp_path / "b.jsonl", [("new", "y"), ("edited", "new"), ("same", "1"), ("twice", "3"), ("twice", "2")])
    found = diff(a, b)
    assert (found.rows_a, found.rows_b) == (5, 5)
    assert (found.in_both, found.changed, found.only_in_a, found.only_in_b) == (2, 2, 1, 1)
    assert found.by_source == {
        "a": {"in_both": 2, "only_in_a": 1, "only_in_b": 0, "changed": 2},
        "b": {"in_both": 0, "only_in_a": 0, "only_in_b": 1, "changed": 0},
    }
    assert [(e["prompt"], e["answer"], e["other_answer"]) for e in found.examples["changed"]] == [
        ("edited", "old", "new"),
        ("twice", "1", "3"),
    ]
    assert [e["prompt"] for e in found.examples["only_in_a"]] == ["gone"]
    assert json.loads(json.dumps(found.as_dict()))["examples"]["only_in_b"][0]["answer"] == "y"


def test_folders_of_rows_and_runs_are_compared_by_their_final_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [("q", "a"), ("r", "b")])
    ingest([Input(file)], tmp_path / "rows")
    run = tmp_path / "run"
    write(run / "dataset/train.jsonl", [("q", "a")])
    for name in ("recipe.yaml", "plan.json"):
        (run / name).write_text("name: x", encoding="utf-8")
    (run / "round-1").mkdir()
    write(run / "round-1/rows.jsonl", [("never", "counted")])
    found = diff(str(tmp_path / "rows"), str(run))
    assert (found.in_both, found.only_in_a, found.only_in_b, found.changed) == (1, 1, 0, 0)


def test_documents_without_a_prompt_never_count_as_changed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("two\n", encoding="utf-8")
    found = diff(str(tmp_path / "a.txt"), str(tmp_path / "b.txt"))
    assert (found.changed, found.only_in_a, found.only_in_b) == (0, 1, 1)
