"""Rows by id: the right ones in the asked order, and no more read than the row groups that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.rows import parts
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.lookup import RowLookup, read_places
from dataflywheel.rows.parts import PartWriter, iter_among, part_paths, read_rows
from dataflywheel.rows.schema import table
from dataflywheel.rows.text import texts


def write(directory: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parts of 50 rows in groups of 10."""
    monkeypatch.setattr(parts, "GROUP_ROWS", 10)
    with PartWriter(directory, part_rows=50) as writer:
        writer.write(table([prompt_answer_row(f"question {i}", f"answer {i}") for i in range(rows)]))
    return directory


@pytest.fixture
def groups_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the row groups that are read."""
    sizes: list[int] = []
    plain = pq.ParquetFile.read_row_group

    def counted(self: Any, i: int, **options: Any) -> Any:
        found = plain(self, i, **options)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    return sizes


def test_texts_are_those_of_the_rows_in_the_asked_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = write(tmp_path, 173, monkeypatch)
    whole = read_rows(rows)
    ids, expected = whole["id"].to_pylist(), texts(whole["messages"], "answer")
    lookup, rng = RowLookup(rows), np.random.default_rng(0)
    for size in (0, 1, 40, 173):
        at = rng.integers(0, 173, size).tolist()  # some of them twice
        assert lookup.texts([ids[i] for i in at], "answer") == [expected[i] for i in at]
    assert lookup.read(ids).equals(whole)


def test_a_walk_in_blocks_reads_a_bounded_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups_read: list[int]
) -> None:
    rows = write(tmp_path, 200, monkeypatch)
    ids = read_rows(rows, ["id"])["id"].to_pylist()
    lookup = RowLookup(rows)
    assert lookup.texts(ids[123:125]) == ["question 123\n\nanswer 123", "question 124\n\nanswer 124"]
    assert groups_read == [10]
    groups_read.clear()
    for start in range(0, 200, 25):
        lookup.texts(ids[start : start + 25])
    assert max(groups_read) == 10
    assert sum(groups_read) < 2 * 200  # each group once, and again where a block began in it


def test_an_id_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = write(tmp_path, 12, monkeypatch)
    ids = read_rows(rows, ["id"])["id"].to_pylist()
    for unknown in ("0" * 32, "g" * 32):
        with pytest.raises(KeyError, match="1 of 2 rows are not there"):
            RowLookup(rows).texts([ids[0], unknown])


@given(st.lists(st.integers(0, 119), max_size=30))
def test_places_count_through_all_parts(tmp_path_factory: pytest.TempPathFactory, places: list[int]) -> None:
    folder = tmp_path_factory.getbasetemp() / "places"
    if not folder.is_dir():
        with pytest.MonkeyPatch.context() as patch:
            write(folder, 120, patch)
    found = read_places(part_paths(folder), np.asarray(places, dtype=np.int64), ["messages"])
    assert [m[0]["content"] for m in found["messages"].to_pylist()] == [f"question {i}" for i in places]


def test_rows_are_told_from_others_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, 120, monkeypatch)
    ids = read_rows(folder, ["id"])["id"].to_pylist()
    wanted = pa.array([*ids[::3], "f" * 32])
    looks: list[int] = []
    monkeypatch.setattr(
        parts.pc, "is_in", lambda *given, plain=pc.is_in, **options: looks.append(1) or plain(*given, **options)
    )
    for others in (False, True):
        found = [
            id
            for batch in iter_among(folder, wanted, ["id"], others=others, batch_size=7)
            for id in batch["id"].to_pylist()
        ]
        assert found == [id for i, id in enumerate(ids) if (i % 3 == 0) != others]
    assert len(looks) == 2, "the ids are hashed once a walk, not once a batch"


def test_a_group_is_read_once_for_rows_asked_for_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups_read: list[int]
) -> None:
    lookup = RowLookup(write(tmp_path, 100, monkeypatch))
    ids = read_rows(tmp_path, ["id"])["id"].to_pylist()
    found = [text for start in range(0, 100, 4) for text in lookup.texts(ids[start : start + 4])]
    assert found == texts(read_rows(tmp_path, ["messages"])["messages"])
    assert len(groups_read) == 10
