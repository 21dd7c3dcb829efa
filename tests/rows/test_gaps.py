"""Gaps of tables as a look counts them are those that menders find."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.rows.gaps import Gaps, is_number, is_zero
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


@pytest.mark.parametrize(("first", "gaps"), [("3", {}), ("0", {"n": 2}), ("0.0", {"n": 2})])
def test_none_among_numbers_is_a_gap_where_a_zero_is_written(first: str, gaps: dict[str, int]) -> None:
    lines = [{"n": n} for n in (first, "2", "none", "1", "Nil")]
    looked = Gaps()
    looked.look(seeds(lines))
    assert looked.by_column() == gaps
    assert int(columns_of(lines)["n"].missing.sum()) == gaps.get("n", 0)


@pytest.mark.parametrize("text", ["12", "-0.5", "+.5", "1,200.50", "1e-3", "0", "5.0E2", "\u0661\u0662"])
def test_what_is_a_number_can_be_read_as_one(text: str) -> None:
    assert is_number(text)
    assert is_zero(text) == (float(text.replace(",", "")) == 0)


@pytest.mark.parametrize("text", ["", "E12", "e1", "+", ".", "-e5", "1,20", "12 ", "\u00b2"])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert not is_number(text)
    assert not is_zero(text)
