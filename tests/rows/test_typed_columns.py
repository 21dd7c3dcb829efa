"""Parquet and Arrow columns of every type: text where it is text, values JSON can hold, or the column named."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dataflywheel.rows.ingest import Input, ingest
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.reading import read_file

IMAGE = bytes(range(256))


def extra_of(tmp_path: Path, column: pa.Array) -> Any:
    """What a column beside a text comes out as, through an Arrow file."""
    table = pa.table({"text": ["a"] * len(column), "x": column})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as out:
        out.write_table(table)
    rows, quarantined = read_file(str(tmp_path / "a.arrow"))
    assert quarantined == []
    return [json.loads(extra).get("x") for extra in rows["extra"].to_pylist()]


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary(20), pa.binary_view(), pa.string_view(), pa.large_string()]
)
def test_bytes_that_are_text_are_text(tmp_path: Path, kind: pa.DataType) -> None:
    value: Any = "Why is the sky blue?" if pa.types.is_string_view(kind) else b"Why is the sky blue?"
    table = pa.table({"prompt": pa.array([value], kind), "completion": pa.array([b"Air scatters."])})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as out:
        out.write_table(table)
    [turns] = read_file(str(tmp_path / "a.arrow"))[0]["messages"].to_pylist()
    assert [turn["content"] for turn in turns] == ["Why is the sky blue?", "Air scatters."]


def test_bytes_that_are_no_text_are_never_learned_as_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([b"caf\xe9", b"fine"])}), tmp_path / "a.parquet")
    rows, [entry] = read_file(str(tmp_path / "a.parquet"))
    assert [turns[0]["content"] for turns in rows["messages"].to_pylist()] == ["fine"]
    assert (entry.line, entry.field) == (1, "text")


def test_images_of_the_hub_keep_their_bytes(tmp_path: Path) -> None:
    image = {"bytes": IMAGE, "path": "a.png"}
    [value] = extra_of(tmp_path, pa.array([{"list": [image], "one": {"bytes": b"<svg/>", "path": None}}]))
    assert base64.b64decode(value["list"][0]["bytes"]) == IMAGE
    assert value["list"][0]["path"] == "a.png"
    assert base64.b64decode(value["one"]["bytes"]) == b"<svg/>"


FAR = 2**62
CASES: list[tuple[pa.Array, Any]] = [
    (pa.array([253402300800000000], pa.timestamp("us")), "10000-01-01T00:00:00.000000"),
    (pa.array([FAR], pa.timestamp("s")), f"{FAR} s since 1970-01-01"),
    (pa.array([2**30], pa.date32()), f"{2**30} days since 1970-01-01"),
    (pa.array([1500], pa.duration("ms")), "0:00:01.500000"),
    (pa.array([FAR], pa.duration("s")), f"{FAR} s"),
    (pa.array([0], pa.timestamp("us", tz="Europe/Berlin")), "1970-01-01T01:00:00+01:00"),
    (pa.array([[253402300800000000]], pa.list_(pa.timestamp("us"))), ["10000-01-01T00:00:00.000000"]),
    (pa.array([{"at": FAR, "n": 1}], pa.struct([("at", pa.timestamp("s")), ("n", pa.int8())])),
     {"at": f"{FAR} s since 1970-01-01", "n": 1}),
    (pa.array([[("a", 1), ("b", 2)]], pa.map_(pa.string(), pa.int64())), {"a": 1, "b": 2}),
    (pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())), [["a", 1], ["a", 2]]),
    (pa.array([1.5], pa.float16()), 1.5),
    (pa.array([float("nan")]), None),
    (pa.array([float("inf")]), "inf"),
    (pa.array([[1, 2]], pa.list_view(pa.int64())), [1, 2]),
    (pa.array([[b"a", b"\xff"]], pa.large_list(pa.binary())), ["a", {"base64": "/w=="}]),
    (pa.array(["b"]).dictionary_encode(), "b"),
    (pa.array([b"x" * 16], pa.uuid()), "78787878-7878-7878-7878-787878787878"),
    (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), [1, 2, 3]),
    (pc.run_end_encode(pa.array([7])), 7),
    (pa.UnionArray.from_sparse(pa.array([1], pa.int8()), [pa.array([1]), pa.array(["b"])]), "b"),
    (pa.array(["1.10"], pa.string()).cast(pa.decimal128(5, 2)), "1.10"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), CASES, ids=[str(column.type) for column, _ in CASES])
def test_odd_types_are_values_and_cost_no_row(tmp_path: Path, column: pa.Array, value: Any) -> None:
    assert extra_of(tmp_path, column) == [value]


def test_a_far_date_costs_no_other_row(tmp_path: Path) -> None:
    seen = pa.array([None, 0, 2**58], pa.timestamp("us"))
    pq.write_table(pa.table({"prompt": ["p"] * 3, "completion": ["a", "b", "c"], "seen": seen}), tmp_path / "a.parquet")
    result = ingest([Input(str(tmp_path / "a.parquet"))], tmp_path / "rows")
    assert (result.rows, result.quarantined) == (3, 0)
    values = [json.loads(extra).get("seen") for extra in read_rows(tmp_path / "rows")["extra"].to_pylist()]
    assert values[:2] == [None, "1970-01-01T00:00:00"]
    assert values[2]


def test_a_column_that_cannot_be_read_is_named_and_the_rows_go_on(tmp_path: Path) -> None:
    inner = pa.StructArray.from_arrays([pa.array([1, 2]), pa.array([3, 4])], fields=[
        pa.field("same", pa.int64()), pa.field("same", pa.int64())])  # fmt: skip
    table = pa.table({"text": ["a", "b"], "odd": inner})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as out:
        out.write_table(table)
    result = ingest([Input(str(tmp_path / "a.arrow"))], tmp_path / "rows")
    assert (result.rows, result.quarantined) == (2, 0)
    [(column, reason)] = result.unread
    assert column.endswith("a.arrow#odd")
    assert "names a field twice" in reason


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["q"]), pa.array(["a"]), pa.array(["b"])], names=["prompt", "x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    rows, [entry] = read_file(str(tmp_path / "a.parquet"))
    assert (len(rows), entry.reason) == (0, "the table names a column twice: x")
