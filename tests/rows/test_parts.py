"""Batches of a given size from those that come, whatever their sizes."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.rows.parts import whole_batches


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 30))
def test_the_same_rows_come_in_whole_batches(sizes: list[int], rows: int) -> None:
    values = pa.record_batch({"id": pa.array(range(sum(sizes)))})
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    found = list(whole_batches((values.slice(a, n) for a, n in zip(starts, sizes, strict=True)), rows))
    assert [id for batch in found for id in batch["id"].to_pylist()] == list(range(sum(sizes)))
    assert all(len(batch) == rows for batch in found[:-1])
    assert all(0 < len(batch) <= rows for batch in found)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_no_more_is_taken_than_fills_a_batch(rows: int) -> None:
    taken = 0

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        for i in range(1000):
            taken += 1
            yield pa.record_batch({"id": [i]})

    batches = whole_batches(source(), rows)
    next(batches)
    assert taken == rows
