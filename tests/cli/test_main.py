"""The command itself: instant help, exit codes, results on stdout and the rest on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dataflywheel.cli.main import VERBS
from tests.recipe.jobs import CLEAN, write_pool
from tests.support.command import flywheel

HELP = """
import sys
sys.argv = ["flywheel", "--help"]
import dataflywheel.cli.main
try:
    dataflywheel.cli.main.main()
except SystemExit:
    pass
print("HEAVY", sorted({"torch", "daft", "ray", "numpy", "pyarrow", "pydantic", "sklearn"} & set(sys.modules)))
"""


def test_help_loads_nothing_heavy() -> None:
    found = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60)
    assert "HEAVY []" in found.stdout
    assert all(verb in found.stdout and text[:40] in found.stdout for verb, text in VERBS.items())


def test_select_then_why_then_diff(tmp_path: Path) -> None:
    pool = write_pool(tmp_path)
    done = flywheel("select", str(pool), "--by", "longest", "--keep", "7", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["rows_out"] == 7
    rows = [
        json.loads(line) for line in (tmp_path / result["path"] / "dataset" / "train.jsonl").read_text().splitlines()
    ]
    answers = sorted((len(json.loads(line)["completion"]) for line in pool.read_text().splitlines()), reverse=True)
    assert max(len(r["messages"][-1]["content"]) for r in rows) == answers[0]
    life = flywheel("why", result["path"], rows[0]["messages"][0]["content"][:40], folder=tmp_path)
    assert "kept, " in life.stdout
    changed = flywheel("diff", str(pool), result["path"], "--json", folder=tmp_path)
    assert json.loads(changed.stdout)["in_both"] == 7


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["select", "pool.jsonl", "--by", "longst"], 2, "did you mean 'longest'"),
        (["select", "nowhere.jsonl"], 2, "nowhere.jsonl is not there"),
        (["select", "pool.jsonl", "--keep", "some"], 2, "budget 'some' is not understood"),
        (["run", "nowhere.yaml"], 2, "nowhere.yaml: cannot be read"),
        (["why", "runs/none", "x"], 2, "runs/none is not a run directory"),
        (["plan"], 2, "Missing argument"),
        (["slect", "pool.jsonl"], 2, "did you mean 'select'"),
    ],
)
def test_failures_say_what_to_do_and_set_the_status(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    write_pool(tmp_path)
    done = flywheel(*arguments, folder=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_progress_goes_to_stderr_and_results_to_stdout(tmp_path: Path) -> None:
    import yaml

    pool, target = write_pool(tmp_path), write_pool(tmp_path, split="held_out")
    recipe = {"name": "r", "pool": [{"path": str(pool)}], "target": [{"path": str(target)}], "steps": CLEAN}
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    done = flywheel("run", "r.yaml", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_out"] > 0
    assert "01-deduplicate" in done.stderr
    again = flywheel("run", "r.yaml", folder=tmp_path)
    assert "Gain: not measured against random choice" in again.stdout
    assert "there already" in again.stderr
    assert (tmp_path / "runs" / "r" / "report.html").exists()


def test_the_package_runs_as_a_module() -> None:
    run = [sys.executable, "-m", "dataflywheel", "--version"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
