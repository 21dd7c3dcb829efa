"""Repair of tables: planted errors are found and put right, real tables with known errors, and clean ones stay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.enhancement.tables.columns import Column, columns_of
from dataflywheel.enhancement.tables.contradicted import contradicted, misspelled
from dataflywheel.enhancement.tables.fill_table import FillTable
from dataflywheel.enhancement.tables.mended import NO_CELLS, NOTHING
from dataflywheel.enhancement.tables.moved import moved_back
from dataflywheel.enhancement.tables.repair_table import RepairTable
from dataflywheel.enhancement.tables.units_in_cells import bare_numbers, no_values
from dataflywheel.proposing.kinds import Demand, Proposer
from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.identity import prompt_answer_row
from tests.enhancement.tables.support import mend, places, propose, read, scores, seeds


def test_planted_slips_are_put_right_and_nothing_else_changes() -> None:
    rng = np.random.default_rng(1)
    clean = places(600, rng)
    dirty = [dict(line) for line in clean]
    for i in rng.permutation(600)[:40].tolist():
        column = ("city", "state")[i % 2]
        text = dirty[i][column]
        at = int(rng.integers(1, len(text) - 1))
        dirty[i][column] = f"{text[:at]}#{text[at + 1 :]}"
    after = mend(RepairTable(), dirty)
    assert scores(dirty, after, clean) == (1.0, 1.0)
    assert mend(RepairTable(), after) == after


def test_each_change_is_told_with_its_reason_and_how_sure_it_is() -> None:
    lines = places(300, np.random.default_rng(2))
    lines[7] = {**lines[7], "city": lines[7]["city"].replace("ville", "vlle"), "amount": "12.0"}
    made = propose(RepairTable(), seeds(lines))
    (changed,) = [p for p in made if p.row is not None]
    assert changed.before is not None
    assert changed.before["id"] == seeds(lines)[7]["id"]
    (one,) = changed.facts["cells"]
    assert (one["column"], one["before"], one["after"]) == (
        "city",
        lines[7]["city"],
        lines[7]["city"].replace("vlle", "ville"),
    )
    assert one["reason"].startswith("contradicts zip")
    assert one["confidence"] > 0.95
    assert {p.failure for p in made if p.row is None} == {NOTHING}
    assert changed.row is not None
    assert changed.row["parents"] == [changed.before["id"]]
    assert f"city: {one['after']}" in changed.row["messages"][0]["content"]


@pytest.mark.parametrize(("name", "least"), [("repair_hospital", (0.98, 0.88)), ("repair_beers", (0.98, 0.95))])
def test_known_errors_of_real_tables(name: str, least: tuple[float, float], data: Path) -> None:
    dirty, clean = (read(data / name / f"{kind}.csv") for kind in ("dirty", "clean"))
    precision, recall = scores(dirty, mend(RepairTable(), dirty), clean)
    assert precision >= least[0]
    assert recall >= least[1]


CLEAN = (
    "repair_hospital/clean.csv", "repair_beers/clean.csv", "impute_restaurant/clean.csv", "tabular/german.csv",
    "tabular/pima-indians-diabetes.csv", "tabular/breast-cancer.csv", "tabular/Drug_Consumption.csv.gz",
)  # fmt: skip


@pytest.mark.parametrize("path", CLEAN)
def test_clean_tables_stay_as_they_are(path: str, data: Path) -> None:
    lines = read(data / path)
    after = mend(RepairTable(), lines)
    changed = sum(a[k] != b[k] for a, b in zip(lines, after, strict=True) for k in a)
    assert changed == 0


def test_people_are_not_what_most_are(data: Path) -> None:
    """`Female` is rarer than `Male` and looks like it, and columns foretell it: still no slip."""
    lines = read(data / "tabular" / "adult.csv.gz")[:4000]
    after = mend(RepairTable(), lines)
    assert [a["sex"] for a in after] == [line["sex"] for line in lines]


def column(*values: Any) -> dict[str, Column]:
    return columns_of([{"c": value} for value in values])


def test_one_unit_in_several_spellings_goes_and_two_units_stay() -> None:
    def after(*values: str) -> list[Any]:
        table = column(*values)
        return [next((c.after for c in bare_numbers(table) if c.row == i), values[i]) for i in range(len(values))]

    assert after("12.0 oz", "12 OZ.", "16 ounces", "8.4oz", "1,200 oz") == ["12", "12", "16", "8.4", "1200"]
    assert after("5%", "7 percent", "6.50 %", "4") == ["5", "7", "6.5", "4"]
    for same in (
        ["12 oz", "355 ml"],
        ["12 oz", "16 oz"],
        ["5%", "7%", "0.05", "0.07"],
        ["3 apples", "4 apple"],
        ["a", "b"],
    ):
        assert after(*same) == same


@pytest.mark.parametrize(
    "cells",
    [
        ["2.350 EUR", "950 €", "1.200 €"],  # thousands or decimals
        ["0,500 kg", "1,250 kilo", "2"],
        [*(["12 kg", "5 kilo"] * 10), "1,5 kg"],
        ["5 m", "7 M"],
        ["5 MB", "7 Mb"],
        ["9 am", "10 AM", "11"],
        ["1.20", "3.40", "10.0", "007"],
    ],
)
def test_numbers_that_may_mean_two_things_stay(cells: list[str]) -> None:
    assert bare_numbers(column(*cells)) == []


def test_bare_numbers_are_as_they_were_written() -> None:
    assert [c.row for c in bare_numbers(column("1.20", "3.40", "10.0", "007", "5 €"))] == [4]


def test_signs_for_no_value_go_from_numbers_alone() -> None:
    numbers = no_values(column("1", "2.5", "N/A", "?", "-", "", "3"))
    assert [(c.row, c.after) for c in numbers] == [(2, ""), (3, ""), (4, "")]
    assert no_values(column("none", "mild", "severe", "none", "NA")) == []


def test_none_among_numbers_goes_only_where_a_zero_is_written_as_one() -> None:
    children = ["2", "none", "1", "3", "None", "nil", "2"]
    assert no_values(column(*children)) == []
    assert [c.row for c in no_values(column(*children, "0"))] == [1, 4, 5]
    assert [c.row for c in no_values(column(*children, "N/A"))] == [7]


def test_a_percent_sign_beside_shares_goes_only_where_many_of_both_are_alike() -> None:
    assert bare_numbers(column("0.14%", "0.50", "0.25", "0.20", "0.35%")) == []
    shares = [f"0.{i}" for i in range(10, 60)]
    assert bare_numbers(column(*shares, *[f"{one}%" for one in shares[:15]])) == []
    assert bare_numbers(column(*shares, *[f"{float(one) * 1.6:.2f}%" for one in shares])) == []
    assert len(bare_numbers(column(*shares, *[f"{one}%" for one in shares]))) == 50


def test_a_word_goes_back_to_the_column_that_lacks_it() -> None:
    lines = [{"city": f"Town {i % 4}", "state": ("TX", "OH")[i % 2]} for i in range(60)]
    for i in range(0, 60, 10):
        lines[i] = {"city": f"{lines[i]['city']} {lines[i]['state']}", "state": ""}
    found = moved_back(columns_of(lines))
    assert {(c.row, c.column, c.after) for c in found if c.column == "state"} == {
        (i, "state", "TX") for i in range(0, 60, 10)
    }
    assert {c.after for c in found if c.column == "city"} <= {f"Town {k}" for k in range(4)}
    assert moved_back(columns_of([{**line, "state": line["state"] or "?"} for line in lines[:4]])) == []


def test_the_last_word_of_a_title_stays() -> None:
    titles = ["Vitamin", "Hepatitis", "Plan", "Group"]
    lines = [{"title": titles[i % 4], "grade": "ABC"[i % 3]} for i in range(60)]
    found = [{"title": f"{titles[i % 4]} C", "grade": ""} for i in range(7)]
    alone = [{"title": f"{name} C", "grade": ""} for name in ("Channel", "Route", "Exhibit")]
    moved = moved_back(columns_of([*lines, *found, *alone]))
    assert {c.row for c in moved} == set(range(60, 67))
    beside = [{"title": "Vitamin C", "grade": "A"}] * 3
    assert moved_back(columns_of([*lines, *found, *beside])) == []


def test_words_are_misspelled_and_codes_and_names_are_not() -> None:
    right = [f"{i} patients" for i in range(40)]
    assert [c.after for c in misspelled(column(*right, "7 paxients", "x7 patients", "7 patient"))] == ["7 patients"]
    codes = [f"ami-{i}" for i in range(40)] + ["cac-1"]
    kinds = ["north street"] * 40 + ["south street", "North street"]
    assert misspelled(column(*codes)) == []
    assert misspelled(column(*kinds)) == []


@pytest.mark.parametrize(
    ("often", "rare"),
    [
        ("Slovenia", "Slovakia"),
        ("Maria", "Marie"),
        ("Martin", "Marvin"),
        ("ALPHA-1", "ALPHB-1"),
        ("7 Marine Road", "7 Marina Road"),
        ("nitrate", "nitrite"),
    ],
)
def test_words_that_are_one_letter_apart_are_two_words(often: str, rare: str) -> None:
    others = ["chloride", "water"] * 20
    assert misspelled(column(*[often] * 100, *others, rare)) == []


@pytest.mark.parametrize("column_of_it", ["city", "price", "day"])
def test_an_exception_is_no_error(column_of_it: str) -> None:
    """Four columns say the same of a row, and the one who moved, the discount and the later day are right."""
    towns = ("Berlin", "Paris", "Rome", "Oslo", "Wien", "Graz")
    lines = [
        {"sku": f"s{k}", "name": f"thing {k}", "group": f"g{k}", "maker": f"m{k}", "city": towns[k], "price": f"{k}.99",
         "day": f"2024-03-{k + 10}"}
        for k in (i % 6 for i in range(240))
    ]  # fmt: skip
    lines[7] |= {column_of_it: {"city": "Leipzig", "price": "0.49", "day": "2024-03-27"}[column_of_it]}
    assert mend(RepairTable(), lines) == lines


def test_wide_tables_are_mended_in_little_time() -> None:
    rng = np.random.default_rng(5)
    lines = [{f"c{k}": str(v) for k, v in enumerate(rng.integers(0, 6, 1000))} for _ in range(20)]
    for i, line in enumerate(lines):
        line |= {"town": ["alderville", "birchville"][i % 2], "state": ["ohio", "maine"][i % 2]}
    lines[3]["town"] = "birxhville"
    begun = time.process_time()
    assert mend(RepairTable(rules=["contradicted"]), lines)[3]["town"] == "birchville"
    assert time.process_time() - begun < 30


def test_numbers_are_no_slips_of_numbers() -> None:
    lines = [{"brewery": f"b{i % 20}", "ounces": "12" if i % 7 else "16"} for i in range(400)]
    assert contradicted(columns_of(lines)) == []


def test_values_keep_their_types_and_odd_lines_do_no_harm() -> None:
    lines: list[dict[str, Any]] = [{"zip": 100 + i % 9, "city": f"city {i % 9}", "open": i % 2 == 0} for i in range(90)]
    lines[3] = {"zip": 103, "city": "cxty 3", "open": None}
    lines[4] = {"zip": 104}
    lines[5] = {"city": "", "zip": None, "note": "\u0000 <b>{x}</b>"}
    after = mend(RepairTable(), lines)
    assert after[3] == {"zip": 103, "city": "city 3", "open": None}
    assert [a for i, a in enumerate(after) if i != 3] == [line for i, line in enumerate(lines) if i != 3]


def test_rows_without_cells_stay_with_their_reason() -> None:
    rows = [prompt_answer_row("Why?", "So."), *seeds(places(30, np.random.default_rng(3)))]
    made = propose(RepairTable(), rows)
    assert made[0].failure == NO_CELLS
    assert [p.parents[0] for p in made] == [row["id"] for row in rows]
    assert propose(RepairTable(), []) == []


def test_only_named_columns_and_rules_change_anything() -> None:
    lines = [{"size": f"{i}.0 oz" if i % 2 else f"{i} ounces", "n": "N/A" if i == 3 else str(i)} for i in range(30)]
    assert {
        k for a, b in zip(lines, mend(RepairTable(columns=["n"]), lines), strict=True) for k in a if a[k] != b[k]
    } == {"n"}
    assert {
        k for a, b in zip(lines, mend(RepairTable(rules=["units"]), lines), strict=True) for k in a if a[k] != b[k]
    } == {"size"}


@pytest.mark.parametrize("by", [RepairTable, FillTable])
def test_a_column_that_no_line_has_is_named(by: type[Proposer]) -> None:
    rows = [row for at in range(4) for row in Table().read({"town": f"Oslo {at}", "zip": "1"}, "t")]
    demand = Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(0))
    with pytest.raises(UsageError, match="no line of the table has a value in a column 'twn'; did you mean 'town'"):
        build(by, {"columns": ["twn"]}).propose(demand)
    assert build(by, {"columns": ["town"]}).propose(demand)
