"""Gaps of tables as a look counts them are those that menders find."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.rows.gaps import Gaps
from tests.enhancement.tables.support import read, seeds

TABLES = ("impute_bridges/bridges_5_1.csv", "impute_restaurant/restaurant_5_1.csv", "repair_beers/dirty.csv")


@pytest.mark.parametrize("name", TABLES)
def test_a_look_counts_what_menders_find(name: str, data: Path) -> None:
    lines = read(data / name)
    looked = Gaps()
    looked.look(seeds(lines[:40]))
    looked.look(seeds(lines[40:]))
    found = {k: int(c.missing.sum()) for k, c in columns_of(lines).items() if c.missing.any() and len(c.firsts)}
    assert looked.by_column() == found
    assert found


def test_signs_that_may_be_answers_are_gaps_among_numbers_alone() -> None:
    lines = [{"n": str(i), "kind": ("none", "mild")[i % 2], "x": None} for i in range(20)]
    lines[3] = {"n": "NA", "kind": "?", "x": ""}
    lines[4] = {"n": "-"}  # type: ignore[assignment]  # no kind at all
    looked = Gaps()
    looked.look(seeds(lines))
    assert looked.by_column() == {"n": 2, "kind": 2}
