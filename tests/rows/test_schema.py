"""What the row schema owes to rows of earlier versions, and to every field that teaches."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.lookup import RowLookup
from dataflywheel.rows.parts import iter_batches, read_rows
from dataflywheel.rows.schema import ROW_SCHEMA, Row, message, table
from dataflywheel.rows.text import part_of

NEW_TURN, NEW_ROW = ("reasoning", "tool_call_id", "learn"), ("media", "cells", "weight")


def as_before(rows: list[Row]) -> pa.Table:
    """The rows as the first version of the schema held them."""
    turn = pa.struct([pa.field(name, pa.string()) for name in ("role", "content", "tool_calls", "name")])
    columns = table(rows).drop_columns(list(NEW_ROW))
    for name in ("messages", "rejected"):
        bare = [
            turns and [{key: value for key, value in one.items() if key not in NEW_TURN} for one in turns]
            for turns in columns[name].to_pylist()
        ]
        columns = columns.set_column(columns.schema.get_field_index(name), name, pa.array(bare, pa.list_(turn)))
    return columns


def test_rows_of_the_first_schema_keep_their_identity() -> None:
    row = make_row(
        [message("user", "café"), message("assistant", "", tool_calls='[{"function":{"name":"f"}}]')], label="x"
    )
    assert row["id"] == "c693a89c4fde85e9e4ecfd211e5b918c"
    assert prompt_answer_row("a", "b")["id"] == "680f8b88f9ab54ede4c0bbc4bee43496"


def test_parts_of_the_first_schema_are_read_as_rows_of_today(tmp_path: Path) -> None:
    rows = [prompt_answer_row("a", "b", source="s"), prompt_answer_row("c", "d", rejected=[message("assistant", "e")])]
    pq.write_table(as_before(rows), tmp_path / "part-00000.parquet")
    assert read_rows(tmp_path).to_pylist() == rows
    assert read_rows(tmp_path).schema == ROW_SCHEMA
    assert RowLookup(tmp_path).read([rows[1]["id"]]).to_pylist() == rows[1:]
    assert next(iter_batches(tmp_path, ["messages", "media"])).to_pylist()[0] == {
        "messages": rows[0]["messages"],
        "media": None,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": [message("user", "a"), message("assistant", "b", reasoning="because")]},
        {"messages": [message("user", "a"), message("assistant", "b", learn=False)]},
        {"messages": [message("user", "a"), message("assistant", "b", tool_call_id="1")]},
        {"media": [{"type": "image", "ref": "a.png"}]},
        {"cells": '{"a":1}'},
    ],
)
def test_all_that_is_learned_is_part_of_the_identity(changed: dict[str, object]) -> None:
    turns = [message("user", "a"), message("assistant", "b")]
    other = make_row(**{"messages": turns, **changed})  # type: ignore[arg-type]
    assert other["id"] != make_row(turns)["id"]


def test_the_text_of_a_row_has_its_thoughts_and_no_ids_of_calls() -> None:
    calls = '[{"function":{"arguments":{"id":7},"name":"f"},"id":"call_9","type":"function"}]'
    said = part_of([message("user", "q"), message("assistant", "a", calls, reasoning="hm")], "all")
    assert said == 'q\n\nhm\n\na[{"function":{"arguments":{"id":7},"name":"f"},"type":"function"}]'
