"""How a verb ends when it is interrupted or the machine refuses: one line, the right status, nothing lost."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import yaml

from dataflywheel.cli.main import _trouble
from tests.recipe.jobs import CLEAN, TRAIN, job, write_pool
from tests.support.command import flywheel

FLYWHEEL = [sys.executable, "-m", "dataflywheel.cli.main"]
STOPPED = "flywheel: stopped; what was finished is kept, and the same command goes on from there"


def interrupted(folder: Path, after: str, more: float) -> tuple[int, list[str]]:
    """Status and lines of a run that was interrupted, as by Ctrl-C, some seconds after it wrote the line `after`."""
    command = [*FLYWHEEL, "run", "recipe.yaml"]
    # A shell ignores interrupts for what it starts in the background, and children inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed
    )
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line.rstrip("\n"))
        if lines[-1] == after:
            break
    time.sleep(more)
    os.killpg(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=100)[1]
    return process.returncode, [*lines, *rest.splitlines()]


def write_recipe(folder: Path, **more: object) -> None:
    recipe = job(folder, [*CLEAN, *TRAIN] if more else CLEAN, **more)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")


@pytest.mark.slow
def test_an_interrupted_run_says_so_in_one_line_and_goes_on(tmp_path: Path) -> None:
    write_recipe(tmp_path)
    status, lines = interrupted(tmp_path, "01-deduplicate ...", 0.2)
    assert status == 130
    assert lines[-1] == STOPPED
    assert not any("Traceback" in line or "FATAL" in line for line in lines)
    again = subprocess.run([*FLYWHEEL, "run", "recipe.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    assert "00-pool: 400 rows (there already)" in again.stderr
    assert not list((tmp_path / "runs").rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.parametrize("more", [0.5, 4.0])
def test_an_interrupted_comparison_takes_its_workers_along(tmp_path: Path, more: float) -> None:
    write_recipe(tmp_path, compare={"arms": ["random", "longest"], "seeds": 3})
    began = time.monotonic()
    status, lines = interrupted(tmp_path, "compare ...", more)
    assert status == 130
    assert lines[lines.index("compare ...") + 1 :] == [STOPPED]
    assert time.monotonic() - began < 300


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))


def test_a_write_that_the_machine_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    write_pool(tmp_path)
    command = [*FLYWHEEL, "select", "pool.jsonl", "--by", "longest"]
    small = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, preexec_fn=limited)
    assert small.returncode == 1
    assert "File too large" in small.stderr
    assert "what was finished is kept" in small.stderr.splitlines()[-1]
    found = flywheel("select", "pool.jsonl", "--by", "longest", "--runs", "pool.jsonl/runs", folder=tmp_path)
    assert found.returncode == 1
    assert "flywheel: pool.jsonl: no folder, and one belongs there" in found.stderr
    assert "Traceback" not in small.stderr + found.stderr


def test_the_way_out_is_named_where_there_is_a_usual_one() -> None:
    assert _trouble(OSError(errno.ENOSPC, "No space left on device", "x/y")) == (
        "x/y: No space left on device; free some space"
    )
    assert _trouble(PermissionError(errno.EACCES, "Permission denied", "z")).startswith("z: Permission denied; check")
    assert _trouble(OSError(errno.EFBIG, "File too large")) == "File too large; allow larger files (ulimit -f)"
    assert _trouble(OSError("something of a library")) == "something of a library"
