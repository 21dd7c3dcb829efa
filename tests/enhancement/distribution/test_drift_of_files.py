"""Drift of files: found where it was planted, and not between two halves of one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError
from dataflywheel.enhancement.distribution.drift_of_files import drift_of_files

WORDS = ["sea", "tree", "car", "wine", "gold", "lamp", "road", "bird", "king", "rain"]


def write(path: Path, rows: int, seed: int, longer: int = 0) -> str:
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for i in range(rows):
            answer = " ".join(rng.choice(WORDS, size=5 + longer + int(rng.integers(6))))
            file.write(json.dumps({"prompt": f"Write line {seed} {i}.", "completion": answer}) + "\n")
    return str(path)


def test_planted_lengths_drift_and_halves_do_not_and_copies_do_not_count(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.jsonl", 150, 1), write(tmp_path / "b.jsonl", 150, 2)
    long = write(tmp_path / "long.jsonl", 150, 3, longer=6)
    lines = Path(one).read_text(encoding="utf-8").splitlines()
    many = tmp_path / "many.jsonl"
    many.write_text("\n".join([*lines[::-1], *lines[:1] * 400]), encoding="utf-8")
    same = drift_of_files(one, other)
    assert [test.drifted() for test in same] == [False] * len(same)
    assert {test.column for test in drift_of_files(one, long) if test.drifted()} == {"text.tokens_answer"}
    assert drift_of_files(str(many), other) == same, "neither the order of a file nor copies in it have a say"
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(FlywheelError):
        drift_of_files(one, str(tmp_path / "none.jsonl"))
    done = CliRunner().invoke(app, ["diff", one, long, "--drift", "--embedder", "none", "--json"])
    assert done.exit_code == 0, done.output
    told = {test["column"]: test["adjusted"] for test in json.loads(done.stdout)["drift"]}
    assert told["text.tokens_answer"] <= 0.01
    shown = CliRunner().invoke(app, ["diff", one, long, "--drift", "--embedder", "none"], terminal_width=200)
    assert "drift of text.tokens_answer" in shown.output
