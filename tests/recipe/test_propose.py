"""How many new rows a step wants of how many there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflywheel.inline.write import generate
from dataflywheel.recipe.steps.generate import Generate

MANUAL = """The pump is a machine that moves water from the well to the tank.

A filter is a sieve that keeps sand out of the pump.

The tank is a box of steel that holds water for one day.
"""


@pytest.mark.parametrize(("rows", "wanted"), [(5, 5), ("200", 200), ("50%", 2)])
def test_a_number_of_rows_is_not_bounded_by_those_that_are_there(rows: str | int, wanted: int) -> None:
    assert Generate(by={"grounded_rules": {}}, rows=rows).wanted(4) == wanted


def test_one_document_gives_several_rows(tmp_path: Path) -> None:
    (tmp_path / "manual.jsonl").write_text(json.dumps({"text": MANUAL}) + "\n", encoding="utf-8")
    pool, runs, home = str(tmp_path / "manual.jsonl"), tmp_path / "runs", tmp_path / "store"
    result = generate(pool, "grounded_rules", 3, visits=3, runs=runs, home=home)
    assert (result.rows_in, result.rows_out) == (1, 4)
