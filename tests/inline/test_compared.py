"""`profile` and `diff` on rows that Python holds."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import dataflywheel as fw
from dataflywheel.contracts import UsageError

ROWS = [{"prompt": f"What is {i}?", "completion": f"The number {i}."} for i in range(8)]


def test_rows_in_memory_are_profiled_as_files_are(tmp_path: Path) -> None:
    file = tmp_path / "pool.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    of_file = fw.profile(str(file), home=tmp_path)
    for rows in (ROWS, pd.DataFrame(ROWS)):
        found = fw.profile(rows, home=tmp_path)
        assert (found.rows, found.lengths) == (8, of_file.lengths)


def test_rows_in_memory_are_compared(tmp_path: Path) -> None:
    found = fw.diff(ROWS, ROWS[:5], home=tmp_path)
    assert (found.rows_a, found.rows_b, found.in_both) == (8, 5, 5)
    with pytest.raises(UsageError, match="one of the two is 2 paths"):
        fw.diff(["a.jsonl", "b.jsonl"], ROWS, home=tmp_path)
