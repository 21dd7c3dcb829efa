"""How large an input is, from a look at its beginning."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.rows.peek import peek
from dataflywheel.rows.reading import Input


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_the_rows_of_a_parquet_file_are_counted_and_not_guessed(tmp_path: Path, compression: str) -> None:
    """Equal texts shrink a hundredfold: a guess from the size of the file would be far off."""
    n = 60_000
    table = pa.table({"prompt": [f"What is {i}?" for i in range(n)], "completion": ["so it is " * 20] * n})
    pq.write_table(table, tmp_path / "a.parquet", compression=compression, row_group_size=2000)
    found = peek(Input(str(tmp_path / "a.parquet")))
    assert found.rows == pytest.approx(n, rel=0.001)
    assert found.chars == pytest.approx(n * 194, rel=0.02)


def test_a_small_file_is_counted(tmp_path: Path) -> None:
    rows = [{"prompt": f"What is {i}?", "completion": "It."} for i in range(7)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert peek(Input(str(tmp_path / "a.jsonl"))).rows == 7
