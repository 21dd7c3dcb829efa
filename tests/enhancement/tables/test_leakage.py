"""Leakage on public tables: copies, held-out lines as the reference, and writers that copy all, half or nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError
from dataflywheel.enhancement.tables.leakage import area, leakage, leakage_of_files
from tests.enhancement.tables.support import Line, places, read

TABLES = ("german.csv", "pima-indians-diabetes.csv", "breast-cancer.csv", "adult.csv.gz")


def thirds(data: Path, name: str, most: int = 1500) -> list[list[dict[str, str]]]:
    """Real lines, others that the writer never saw, and a third part."""
    every = read(data / "tabular" / name)
    mixed = [every[i] for i in np.random.default_rng(0).permutation(len(every))[:most]]
    return [mixed[k::3] for k in range(3)]


@pytest.mark.parametrize("name", TABLES)
def test_copies_are_at_no_distance_and_an_attack_on_them_succeeds(name: str, data: Path) -> None:
    real, held_out, _ = thirds(data, name)
    found = leakage(real, real, held_out)
    assert found.copies == len(real)
    assert (found.written.least, found.written.p5, found.written.median) == (0, 0, 0)
    assert found.by_held_out
    assert found.reference.lines == len(held_out)
    assert found.attack is not None
    print(f"{name}: copies AUC {found.attack.auc:.3f} [{found.attack.low:.3f}, {found.attack.high:.3f}]")
    assert found.attack.auc > 0.95
    assert found.attack.low > 0.9


@pytest.mark.parametrize("name", TABLES)
def test_lines_of_the_same_table_give_nothing_away(name: str, data: Path) -> None:
    """What is as far from the real lines as lines that were never seen."""
    real, held_out, fresh = thirds(data, name)
    found = leakage(fresh, real, held_out)
    assert found.attack is not None
    print(f"{name}: fresh AUC {found.attack.auc:.3f} [{found.attack.low:.3f}, {found.attack.high:.3f}], {found.nearer}")
    assert found.attack.low < 0.5 < found.attack.high
    assert found.copies <= 0.05 * len(fresh)
    assert found.nearer < 0.12
    assert found.written.median == pytest.approx(found.reference.median, rel=0.15)
    half = leakage([*fresh[: len(fresh) // 2], *real[: len(real) // 2]], real, held_out)
    assert half.attack is not None
    assert 0.65 < half.attack.auc < 0.85
    assert half.nearer > 0.45


def test_slightly_changed_copies_are_found_without_being_equal(data: Path) -> None:
    real, held_out, _ = thirds(data, "pima-indians-diabetes.csv")
    close = [{**line, "age": str(int(line["age"]) + 1)} for line in real]
    found = leakage(close, real, held_out)
    assert found.copies < 5
    assert found.nearer > 0.9
    assert found.attack is not None
    assert found.attack.low > 0.9


def test_without_held_out_lines_real_ones_are_held_against_each_other(data: Path) -> None:
    real, _, fresh = thirds(data, "german.csv", 600)
    found = leakage(fresh, real)
    assert (found.attack, found.by_held_out) == (None, False)
    assert found.reference.median > 0
    assert leakage(real, real).nearer > 0.9
    with pytest.raises(FlywheelError, match="two or more real ones"):
        leakage(fresh, real[:1])
    with pytest.raises(FlywheelError, match="no column is left"):
        leakage(fresh, real, without=list(real[0]))


def test_the_area_is_the_share_of_pairs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 5, 30) / 4, rng.integers(1, 7, 20) / 4
    pairs = [(a < b) + 0.5 * (a == b) for a in one for b in other]
    assert area(one, other) == pytest.approx(np.mean(pairs))


def write(path: Path, lines: list[Line]) -> str:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(lines[0]))
        table.writeheader()
        table.writerows(lines)
    return str(path)


def test_the_command_says_what_is_given_away(tmp_path: Path) -> None:
    made = places(90, np.random.default_rng(1))
    real, held_out = write(tmp_path / "real.csv", made[:40]), write(tmp_path / "held.csv", made[40:80])
    copied = [{**line, "id": f"new{i}"} for i, line in enumerate(made[:30])]
    written = write(tmp_path / "written.csv", copied)
    given = ["diff", real, written, "--leakage", "--without", "id"]
    said = CliRunner().invoke(app, given)
    assert said.exit_code == 0, said.output
    assert "30 lines of B are copies of lines of A, by 4 columns" in said.output
    assert "not measured, it takes lines that were not (--held-out)" in said.output
    told = json.loads(CliRunner().invoke(app, [*given, "--held-out", held_out, "--json"]).output)
    assert told == json.loads(json.dumps(leakage_of_files(written, real, held_out, ["id"]).as_dict()))
    assert told["attack"]["auc"] > 0.7
    assert "id" not in told["columns"]
