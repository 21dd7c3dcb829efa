"""The step `mend`: a table is read, mended and written as one, and every changed cell is told."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dataflywheel as fw
from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.pages import write_pages
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.convert import convert
from tests.support.endpoint import Endpoint

STEPS = [{"mend": {"by": "repair_table"}}, {"mend": {"by": {"fill_table": {"least": 0.8}}}}]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Cities by their zip code, of which one is misspelled and one is missing, with a column that names itself text."""
    path = tmp_path / "places.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["zip", "city", "text", "note"])
        for i in range(80):
            city = ("Aldertown", "Birchville", "Cedarburg")[i % 3]
            city = {5: "Cedarbxrg", 6: ""}.get(i, city)
            out.writerow([f"{200 + i % 3}", city, f"a note, {i}", "<b>" if i == 5 else ""])
    return path


def recipe(path: Path, **more: Any) -> Any:
    made = {"name": "places", "pool": [{"path": str(path), "format": "table"}], "steps": STEPS, "format": "table"}
    return recipe_from({**made, **more}, "made")


def done(path: Path, folder: Path) -> Result:
    return run(recipe(path), runs=folder / "runs", home=folder / "home", finish=write_pages)


def test_a_table_goes_in_and_a_mended_one_comes_out(table: Path, tmp_path: Path) -> None:
    result = done(table, tmp_path)
    out = tmp_path / "out.csv"
    convert(str(result.path), str(out), "table")
    before, after = (list(csv.DictReader(path.open(newline=""))) for path in (table, out))
    assert list(after[0]) == ["zip", "city", "text", "note"]
    assert [i for i in range(80) if before[i] != after[i]] == [5, 6]
    assert (after[5]["city"], after[6]["city"]) == ("Cedarburg", "Aldertown")
    records = [orjson.loads(line) for line in (result.path / "dataset" / "train.jsonl").read_bytes().splitlines()]
    assert records[5]["flywheel"]["made_by"] == "repair_table"
    assert records[0]["flywheel"]["made_by"] == ""


def test_every_changed_cell_is_told(table: Path, tmp_path: Path) -> None:
    result = done(table, tmp_path)
    page = (result.path / "report.html").read_text()
    assert "Changed cells" in page
    assert "Cedarbxrg" in page
    assert "<b>" not in page.split("Changed cells")[1].split("</table>")[0]
    line = orjson.loads((result.path / "dataset" / "train.jsonl").read_bytes().splitlines()[5])
    life = as_text(why(result.path, line["flywheel"]["id"]))
    assert 'city: "Cedarbxrg" became "Cedarburg": contradicts zip (confidence 0.96)' in life


def test_a_second_run_does_nothing_again(table: Path, tmp_path: Path) -> None:
    first = done(table, tmp_path)
    kept = (first.path / "dataset" / "train.jsonl").read_bytes()
    again = done(table, tmp_path)
    assert (again.path / "dataset" / "train.jsonl").read_bytes() == kept


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": [{"enhance": {"by": "repair_table"}}]}, "name it under `mend`"),
        ({"steps": [{"mend": {"by": "self_refine"}}]}, "name it under `enhance`"),
        ({"steps": [{"mend": {"by": {"repair_table": {"rules": ["speling"]}}}}]}, "rules"),
        ({"pool": [{"path": "POOL", "format": "alpaca"}]}, "say `format: table`"),
    ],
)
def test_what_cannot_be_is_found_by_the_plan(change: dict[str, Any], said: str, table: Path) -> None:
    if "pool" in change:
        change = {"pool": [{**change["pool"][0], "path": str(table)}]}
    with pytest.raises(UsageError, match=said):
        plan(recipe(table, **change))


def test_in_three_lines_of_python_and_from_one_command(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = list(csv.DictReader(table.open(newline="")))
    result = fw.enhance(lines, "repair_table")
    assert "1 rows mended by repair_table" in repr(result)
    (change,) = result.changed
    assert (change.before["city"], change.after["city"]) == ("Cedarbxrg", "Cedarburg")
    assert [line["city"] for line in result.rows] == [
        *[line["city"] for line in lines[:5]],
        "Cedarburg",
        *[line["city"] for line in lines[6:]],
    ]
    assert list(result.to_pandas()["city"])[5] == "Cedarburg"


def test_asking_for_cells_is_priced_as_it_is_paid(table: Path, tmp_path: Path, endpoint: Endpoint) -> None:
    teacher = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1.0, "out": 2.0}}
    steps = [{"mend": {"by": {"ask_table": {"columns": ["city"], "trials": 12}}}}]
    made = recipe(table, models={"teacher": teacher | {"capabilities": {"json_schema": True}}}, steps=steps)
    told = plan(made)
    assert told.total.calls == 2
    result = run(made, runs=tmp_path / "runs", home=tmp_path / "home", finish=write_pages)
    ledger = orjson.loads((result.path / "ledger.json").read_bytes())["total"]
    assert ledger["calls"] == told.total.calls
    assert 0 < ledger["usd"] <= 1.5 * (told.total.usd or 0)
    more = recipe(table, models={"teacher": teacher}, steps=[{"mend": {"by": {"ask_table": {"ask": ["suspected"]}}}}])
    assert any("not in its price" in line for line in plan(more).notes)


def typed() -> pa.Table:
    """A table of the types that JSON has not, with a unit in every other cell."""
    day, at = datetime(2021, 3, 4, 5, 6, 7, 8), [f"{i} oz" if i % 2 else f"{i} OZ." for i in range(1, 25)]
    types = {
        "weight": pa.string(), "day": pa.date32(), "at": pa.timestamp("us"), "zone": pa.timestamp("ms", "UTC"),
        "hour": pa.time64("us"), "price": pa.decimal128(10, 2), "small": pa.int8(), "share": pa.float32(),
        "yes": pa.bool_(), "none": pa.int32(),
        "parts": pa.list_(pa.int64()),
    }  # fmt: skip
    held = [
        [
            w,
            day.date(),
            day,
            day.replace(microsecond=0),
            day.time() if i else None,
            Decimal("7.50"),
            i,
            0.1,
            None if i == 1 else True,
            None,
        ]
        for i, w in enumerate(at)
    ]
    columns = [*zip(*held, strict=True), [[i] for i in range(24)]]
    return pa.table([pa.array(c, t) for c, t in zip(columns, types.values(), strict=True)], list(types))


def test_a_mended_table_has_the_types_that_it_had(tmp_path: Path) -> None:
    before = typed()
    pq.write_table(before, tmp_path / "t.parquet")
    result = run(recipe(tmp_path / "t.parquet", steps=[STEPS[0]]), runs=tmp_path / "runs", home=tmp_path / "home")
    told = convert(str(result.path), str(tmp_path / "out.parquet"), "table")
    after = pq.read_table(tmp_path / "out.parquet")
    assert after.column_names == before.column_names
    assert after.schema.types[:-1] == before.schema.types[:-1]
    after = after.cast(before.schema)
    assert [n for n in before.column_names if after[n].to_pylist() != before[n].to_pylist()] == ["weight"]
    assert after["weight"].to_pylist() == [str(i) for i in range(1, 25)]
    assert told["untyped"] == {}
    (tmp_path / "t.parquet").unlink()
    told = convert(str(result.path / "dataset"), str(tmp_path / "out.parquet"), "table")
    assert list(told["untyped"]) == [f"all of {tmp_path / 't.parquet'}"]
    assert pq.read_schema(tmp_path / "out.parquet").field("price").type == pa.string()


def test_a_value_that_its_type_cannot_hold_is_kept_and_told(tmp_path: Path) -> None:
    pq.write_table(typed(), tmp_path / "t.parquet")
    result = done(tmp_path / "t.parquet", tmp_path)
    lines = (result.path / "dataset" / "train.jsonl").read_text().replace('"price":"7.50"', '"price":"dear"', 1)
    (result.path / "dataset" / "train.jsonl").write_text(lines)
    told = convert(str(result.path), str(tmp_path / "out.parquet"), "table")
    assert list(told["untyped"]) == ["price"]
    assert told["untyped"]["price"].startswith("was decimal128(10, 2): ")
    assert pq.read_table(tmp_path / "out.parquet")["price"].to_pylist() == ["dear", *["7.50"] * 23]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_has_no_column_of_ours(suffix: str, tmp_path: Path) -> None:
    lines = [{"a": 1, "b": None, "c": "x"}, {"a": 1.5, "c": "y", "d": [1]}, {"a": 2, "b": 3, "c": ""}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = done(tmp_path / "t.jsonl", tmp_path)
    out = tmp_path / f"out.{suffix}"
    convert(str(result.path), str(out), "table")
    if suffix == "csv":
        assert out.read_text() == '"a","b","c","d"\n"1","","x",""\n"1.5","","y","[1]"\n"2","3","",""\n'
        return
    assert pq.read_table(out).to_pylist() == [
        {"a": 1.0, "b": None, "c": "x", "d": None},
        {"a": 1.5, "b": None, "c": "y", "d": [1]},
        {"a": 2.0, "b": 3, "c": "", "d": None},
    ]


def test_a_cell_without_a_value_in_csv_is_empty(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n1,\\N\n="007",\n')
    result = done(tmp_path / "t.csv", tmp_path)
    convert(str(result.path), str(tmp_path / "out.csv"), "table")
    assert (tmp_path / "out.csv").read_text() == '"a","b"\n"1",""\n"007",""\n'
