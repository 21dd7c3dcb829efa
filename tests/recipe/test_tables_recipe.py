"""The recipe of tables that is shipped: run to its end without anybody to ask, on a table whose truth is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.pages import write_pages
from dataflywheel.rows.convert import convert

RECIPE, TABLE = Path("recipes/tables.yaml"), Path("recipes/stalls.csv")
TOWNS = {
    "41010": ("Aldermouth", "Westmere"),
    "41020": ("Brackenford", "Westmere"),
    "41035": ("Coldwater", "Westmere"),
    "52010": ("Dunhollow", "Northdale"),
    "52044": ("Eastbridge", "Northdale"),
    "52071": ("Fernleigh", "Northdale"),
    "63005": ("Greywater", "Southfen"),
    "63018": ("Harrowgate", "Southfen"),
}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def fault(line: dict[str, str]) -> list[str]:
    """Columns of a line that are not what zip code and price say: a stall pays 3 for each kilogram of its crates."""
    town, county = TOWNS[line["zip"]]
    wrong = [name for name, right in (("town", town), ("county", county)) if line[name] != right]
    numbers = [line[name].isdigit() for name in ("crate_kg", "fee")]
    wrong += [name for name, good in zip(("crate_kg", "fee"), numbers, strict=True) if not good]
    return wrong + (["fee"] if all(numbers) and int(line["fee"]) != 3 * int(line["crate_kg"]) else [])


def test_every_planted_error_is_mended_and_no_other_cell_is_changed(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPE)
    total = plan(recipe).total
    assert (total.calls, total.usd) == (0, 0)
    done = run(recipe, runs=tmp_path / "runs", home=tmp_path / "home", finish=write_pages)
    convert(str(done.path), str(tmp_path / "mended.csv"), "table")
    before, after = read(TABLE), read(tmp_path / "mended.csv")
    planted = {(i, name) for i, line in enumerate(before) for name in fault(line)}
    assert len(planted) == 24
    assert {name for _, name in planted} == {"town", "county", "crate_kg", "fee"}
    assert [fault(line) for line in after] == [[]] * len(before)
    changed = {(i, name) for i, line in enumerate(before) for name in line if line[name] != after[i][name]}
    assert changed == planted
    ledger = json.loads((done.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert ledger["calls"] == 0
    page = (done.path / "report.html").read_text(encoding="utf-8")
    assert "Changed cells" in page
    assert "a unit in a cell of a column of numbers" in page


def test_another_table_may_stand_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"{i},{i % 3},{'ABC'[i % 3] if i else ''}\n" for i in range(30))
    (tmp_path / "own.csv").write_text(f"number,zip,town\n{lines}", encoding="utf-8")
    monkeypatch.setenv("TABLE", str(tmp_path / "own.csv"))
    done = run(load_recipe(RECIPE), runs=tmp_path / "runs", home=tmp_path / "home")
    convert(str(done.path), str(tmp_path / "mended.csv"), "table")
    assert [line["town"] for line in read(tmp_path / "mended.csv")] == [*"ABC"] * 10
