"""What a step that keeps and drops rows leaves for the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from dataflywheel.recipe.execute import run
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.signals import thresholds
from tests.recipe.jobs import job


def test_the_level_of_a_quantile_is_drawn_where_it_cut(tmp_path: Path) -> None:
    cut = {"filter": {"quantiles": {"text.tokens_answer": [0.1, 0.9]}, "bounds": {"text.turns": [1, None]}}}
    result = run(job(tmp_path, [cut]), runs=tmp_path / "runs", home=tmp_path / "store")
    folder = result.path / "round-1" / "01-filter"
    tokens = pq.read_table(folder / "columns.parquet")["text.tokens_answer"].to_numpy()
    low, high = (float(np.quantile(tokens, share)) for share in (0.1, 0.9))
    details = json.loads((folder / "metrics.json").read_text())["details"]
    assert details["bounds"] == {"text.tokens_answer": [low, high], "text.turns": [1, None]}
    drawn = thresholds(load_run(result.path).named("filter")[0])
    assert drawn == {"text.tokens_answer": [low, high], "text.turns": [1]}
    assert result.rows_out == int(((tokens >= low) & (tokens <= high)).sum()) < result.rows_in
