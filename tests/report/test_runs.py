"""The runs of a folder, each in the state that it is in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click import unstyle
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import UsageError
from dataflywheel.report.runs import runs
from dataflywheel.store.lock import only_here
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory


def run_of(folder: Path, name: str, *events: tuple[str, str], age: float = 0.0) -> Path:
    run = RunDirectory(folder / name)
    (run.path / "recipe.yaml").write_text(f"name: {name}\n", encoding="utf-8")
    StepRecord(step="pool", rows_in=9, rows_out=8).write(run.step(0, "pool"))
    told = {"metric": "bits_per_byte", "overall": {"value": 2.5}}
    StepRecord(step="evaluate", rows_in=8, rows_out=8, details=told).write(run.step(2, "evaluate"))
    for kind, why in events:
        run.event(kind, **({"stopped": why} if kind == "finished" else {}))
    if (log := run.path / "events.jsonl").is_file():
        os.utime(log, (1e9 - age, 1e9 - age))
    return run.path


def test_states_scores_and_order(tmp_path: Path) -> None:
    run_of(tmp_path, "done", ("started", ""), ("finished", ""), age=1)
    run_of(tmp_path, "out", ("finished", "the 2 hours were used up"), age=2)
    run_of(tmp_path, "killed", ("finished", ""), ("started", ""), age=3)
    (run_of(tmp_path, "torn", ("finished", ""), age=4) / "round-1" / "00-pool" / "metrics.json").write_text("{")
    (tmp_path / "no-run").mkdir()
    found = {one.name: one for one in runs(tmp_path)}
    assert list(found) == ["done", "out", "killed", "torn"] or list(found)[:3] == ["done", "out", "killed"]
    assert [found[name].state for name in ("done", "out", "killed", "torn")] == [
        "finished", "stopped", "unfinished", "damaged",
    ]  # fmt: skip
    assert found["out"].why == "the 2 hours were used up"
    assert (found["done"].metric, found["done"].score) == ("bits_per_byte", 2.5)
    assert found["done"].rows_in == 8
    assert found["done"].bytes == sum(p.stat().st_size for p in (tmp_path / "done").rglob("*") if p.is_file())


def test_a_run_at_work_is_told_from_one_that_was_killed(tmp_path: Path) -> None:
    path = run_of(tmp_path, "a", ("started", ""))
    with only_here(path):
        assert runs(tmp_path)[0].state == "at work"
    assert runs(tmp_path)[0].state == "unfinished"


def test_the_verb(tmp_path: Path) -> None:
    run_of(tmp_path, "out", ("finished", "no [bold]calls"))
    told = CliRunner().invoke(app, ["runs", str(tmp_path)], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert "out" in told.output
    assert "bits per byte 2.500" in told.output
    assert "out: no [bold]calls" in told.output
    assert json.loads(CliRunner().invoke(app, ["runs", str(tmp_path), "--json"]).output)[0]["state"] == "stopped"
    with pytest.raises(UsageError, match="no folder with runs"):
        runs(tmp_path / "nowhere")


def told_at(folder: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the verb prints on a terminal of so many letters a line."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    return unstyle(CliRunner().invoke(app, ["runs", str(folder)]).output).splitlines()


@pytest.mark.parametrize("name", ["short", "select-a-pool-with-a-long-name-" + "k_center-" * 6 + "10-percent"])
def test_no_line_wraps_on_a_narrow_terminal(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(tmp_path, name, ("finished", ""))
    for width in (60, 80):
        head, row, told = told_at(tmp_path, width, monkeypatch)
        assert max(len(head), len(row)) <= width
        assert head.split()[:3] == ["run", "state", "rows"]
        assert row.startswith(name[:20])
        left = told.removeprefix("No room for: ").partition(";")[0].split(", ")
        shown = head.split()
        assert sorted([*left, *shown]) == sorted(["run", "state", "rows", "score", "time", "paid", "size", "changed"])
    whole = CliRunner().invoke(app, ["runs", str(tmp_path)], env={"FORCE_COLOR": None, "TTY_COMPATIBLE": "0"}).output
    head, row = whole.splitlines()
    assert row.startswith(name)
    assert head.split() == ["run", "state", "rows", "score", "time", "paid", "size", "changed"]
