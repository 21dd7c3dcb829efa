"""Rows as Python has them: every container gives the same rows as a file, and none is lost."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.inline.given import Given, given
from dataflywheel.inline.held import UNWRITTEN, held, line_of
from dataflywheel.rows.reading import iter_parsed

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(str.strip)
SHAPES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "prompt": lambda a, b: {"prompt": a, "completion": b},
    "alpaca": lambda a, b: {"instruction": a, "input": "", "output": b},
    "messages": lambda a, b: {"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]},
    "sharegpt": lambda a, b: {"conversations": [{"from": "human", "value": a}, {"from": "gpt", "value": b}]},
    "pair": lambda a, b: {"prompt": a, "chosen": b, "rejected": b + "."},
}


def ids(rows: Given) -> list[str]:
    return [row["id"] for one in rows.inputs() for parsed in iter_parsed(one) for row in parsed.rows]


def forms(rows: list[dict[str, Any]], folder: Path) -> dict[str, object]:
    datasets, pandas = pytest.importorskip("datasets"), pytest.importorskip("pandas")
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    frame = pandas.DataFrame(rows, index=[f"row {i}" for i in range(len(rows))])
    turned = datasets.Dataset.from_list(rows[::-1]).select(range(len(rows) - 1, -1, -1))
    table = pa.Table.from_pylist(rows)
    found = {"list": rows, "iterator": iter(rows), "dataset": turned, "pandas": frame, "arrow": table, "file": file}
    try:
        import polars
    except ImportError:
        return found
    return found | {"polars": polars.DataFrame(rows), "lazy": polars.LazyFrame(rows)}


@settings(max_examples=10, deadline=None)
@drawn(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), shape=st.sampled_from(sorted(SHAPES)))
def test_every_container_gives_the_rows_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], shape: str
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    records = [SHAPES[shape](*row) for row in rows]
    found = {name: ids(given(form, folder)) for name, form in forms(records, folder).items()}
    assert len(found["file"]) == len(rows)
    assert {name: one for name, one in found.items() if one != found["file"]} == {}


def test_a_container_is_as_it_was_when_it_was_handed_over(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    rows = [{"prompt": "a", "completion": "b"}]
    frame = pandas.DataFrame(rows)
    kept = [held(rows), held(frame)]
    rows.append({"prompt": "c"})
    frame.loc[0, "prompt"] = "changed"
    assert [one.records([0]) for one in kept] == [[{"prompt": "a", "completion": "b"}]] * 2
    assert [len(one) for one in kept] == [1, 1]


def test_rows_are_written_once_by_their_content(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "completion": "b"}]
    first, again = given(rows, tmp_path), given(list(rows), tmp_path)
    assert first.paths == again.paths
    assert given([*rows, *rows], tmp_path).paths != first.paths
    assert len(list((tmp_path / "given").iterdir())) == 2


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (2**80, 2**80),
        ("half \ud800", "half \ud800"),
        (b"text", "text"),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.date(2025, 1, 2), "2025-01-02"),
        (float("nan"), None),
        ({1: [float("inf")]}, {"1": [None]}),
    ],
)
def test_what_json_has_no_type_for_is_kept(value: object, read: object) -> None:
    assert json.loads(line_of({"x": value, "y": 1})) == {"x": read, "y": 1}


def test_what_cannot_be_written_says_so() -> None:
    ring: list[object] = []
    ring.append(ring)
    for value in (object(), ring):
        assert json.loads(line_of({"x": value})).startswith(UNWRITTEN)


def test_cells_without_a_value_are_absent(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([{"prompt": "a", "completion": "b", "system": None}, {"prompt": "c", "completion": "d"}])
    frame["when"] = [pandas.NaT, pandas.Timestamp("2025-01-02")]
    rows = [{"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"}]
    assert ids(given(frame, tmp_path)) == ids(given(rows, tmp_path))


def test_what_is_no_rows_is_refused() -> None:
    datasets, pandas = pytest.importorskip("datasets"), pytest.importorskip("pandas")
    one = datasets.Dataset.from_list([{"text": "a"}])
    for wrong, said in (
        ({"prompt": ["a"]}, "one row or a set of columns"),
        ([], "no rows"),
        (7, "list of dicts"),
        (datasets.DatasetDict(train=one, test=one), "'train', 'test'"),
        (pandas.DataFrame([["a", "b"]], columns=["x", "x"]), "two columns of one name"),
    ):
        with pytest.raises(UsageError, match=said):
            held(wrong)


def test_where_no_row_can_be_written_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no row can be kept; row 0 cannot be written as JSON: "):
        given([{"prompt": "a", "completion": "b", "tags": {"x"}}] * 2, tmp_path)
