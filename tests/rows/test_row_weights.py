"""A row's weight: it travels with the row, and rows without one lie on the disk as before there were any."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from dataflywheel.proposing.rewritten import rewritten
from dataflywheel.rows.convert import convert
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import GROUP_ROWS, PartWriter, has_weights, read_rows
from dataflywheel.rows.schema import ROW_SCHEMA, Row, table


def rows_of(*weights: float | None) -> list[Row]:
    return [prompt_answer_row(f"q{i}", "a", weight=weight) for i, weight in enumerate(weights)]


def written(folder: Path, rows: list[Row], part_rows: int = 50_000) -> Path:
    with PartWriter(folder, part_rows=part_rows) as out:
        out.write(table(rows))
    return folder


def test_rows_that_all_count_alike_lie_without_the_column(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain", rows_of(None, None))
    assert pq.read_schema(plain / "part-00000.parquet").names == [n for n in ROW_SCHEMA.names if n != "weight"]
    assert not has_weights(plain)
    assert read_rows(plain).schema == ROW_SCHEMA


def test_the_first_weight_of_a_part_may_come_late(tmp_path: Path) -> None:
    weights = [None] * (GROUP_ROWS + 5) + [0.5] + [None] * GROUP_ROWS
    rows = rows_of(*weights)
    held = written(tmp_path / "rows", rows)
    assert has_weights(held)
    assert read_rows(held).to_pylist() == rows
    groups = pq.ParquetFile(held / "part-00000.parquet").metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [GROUP_ROWS, GROUP_ROWS, 6]
    # Parts are told apart: those whose rows have none do without.
    apart = written(tmp_path / "apart", rows_of(None, None, 0.5, None), part_rows=2)
    assert ["weight" in pq.read_schema(path).names for path in sorted(apart.iterdir())] == [False, True]
    assert read_rows(apart, ["weight"])["weight"].to_pylist() == [None, None, 0.5, None]


@pytest.mark.parametrize(
    ("to", "name"),
    [("messages", "x.jsonl"), ("canonical", "x.jsonl"), ("canonical", "x.parquet"), ("messages", "x.csv"),
     ("alpaca", "x.json"), ("sharegpt", "x.parquet"), ("prompt_completion", "x.tsv")],
)  # fmt: skip
def test_weights_come_back_from_every_shape(tmp_path: Path, to: str, name: str) -> None:
    convert(str(written(tmp_path / "rows", rows_of(None, 0.25, 1 / 7))), str(tmp_path / name), to)
    convert(str(tmp_path / name), str(tmp_path / "back.jsonl"), "canonical")
    back = [orjson.loads(line).get("weight") for line in (tmp_path / "back.jsonl").read_bytes().splitlines()]
    assert back == [None, 0.25, 1 / 7]


@pytest.mark.parametrize("trainer", ["trl", "llamafactory", "llamafactory_alpaca", "axolotl"])
def test_files_for_trainers_hold_it_in_a_column_beside(tmp_path: Path, trainer: str) -> None:
    convert(str(written(tmp_path / "rows", rows_of(None, 0.25))), str(tmp_path / "x.jsonl"), trainer)
    first, second = map(orjson.loads, (tmp_path / "x.jsonl").read_bytes().splitlines())
    assert (first["weight"], second["weight"]) == (None, 0.25)


@pytest.mark.parametrize("weight", ["1", -0.5, True, [1]])
def test_what_is_no_weight_is_refused_by_name(tmp_path: Path, weight: object) -> None:
    good = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    bad = good | {"flywheel": {"weight": weight}}
    (tmp_path / "in.jsonl").write_bytes(orjson.dumps(good) + b"\n" + orjson.dumps(bad) + b"\n")
    found = convert(str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "canonical")
    assert (found["records"], found["quarantined"]) == (1, 1)
    assert (found["examples"][0]["field"], found["examples"][0]["reason"][:24]) == (
        "weight",
        "expected a number from 0",
    )


def test_a_weight_of_somebody_else_stays_what_it_was(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    (tmp_path / "in.jsonl").write_bytes(orjson.dumps({"messages": turns, "weight": 70.5}) + b"\n")
    convert(str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "canonical")
    row = orjson.loads((tmp_path / "out.jsonl").read_bytes())
    assert ("weight" in row, orjson.loads(row["extra"])) == (False, {"weight": 70.5})


def test_a_rewritten_row_counts_as_much_as_the_one_it_was_and_weight_is_no_part_of_identity() -> None:
    (row,) = rows_of(0.25)
    assert rewritten(row, "m", "another answer")["weight"] == 0.25
    assert row["id"] == rows_of(None)[0]["id"]
