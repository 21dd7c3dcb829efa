"""Killed at any moment, the same command finishes with the same bytes."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.recipe.jobs import CLEAN, TRAIN, job

KILLS = 20
LONGEST = 240.0


def command(folder: Path, name: str) -> list[str]:
    where = ["--runs", str(folder / name / "runs"), "--home", str(folder / name / "store")]
    return [sys.executable, "-m", "dataflywheel.cli.main", "run", str(folder / "recipe.yaml"), *where]


def outcome(folder: Path, name: str) -> dict[str, str]:
    """Digest of every file that a run is for: rows, decisions, the model, the final data set."""
    run = folder / name / "runs" / "job"
    files = [*run.glob("round-1/*/rows/part-*.parquet"), *run.glob("round-1/*/decisions.parquet")]
    files += [*run.glob("dataset/train.jsonl"), *run.glob("models/student/*.safetensors")]
    return {str(f.relative_to(run)): hashlib.blake2b(f.read_bytes()).hexdigest() for f in sorted(files)}


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    recipe = job(tmp_path, [*CLEAN, *TRAIN])
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")
    began = time.monotonic()
    subprocess.run(command(tmp_path, "calm"), check=True, capture_output=True, timeout=LONGEST)
    whole = time.monotonic() - began
    calm = outcome(tmp_path, "calm")
    assert {"dataset/train.jsonl", "models/student/model.safetensors"} <= set(calm)
    moments, killed = random.Random(0), 0
    while killed < KILLS and time.monotonic() - began < LONGEST * 2:
        process = subprocess.Popen(command(tmp_path, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=moments.uniform(0.1, 0.7) * whole)
            shutil.rmtree(tmp_path / "killed")  # it finished: begin again from nothing
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed == KILLS
    subprocess.run(command(tmp_path, "killed"), check=True, capture_output=True, timeout=LONGEST)
    assert outcome(tmp_path, "killed") == calm
    assert not list((tmp_path / "killed").rglob("*.partial"))
