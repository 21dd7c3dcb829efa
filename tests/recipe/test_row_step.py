"""What a step that keeps and drops rows leaves for the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from dataflywheel.recipe.execute import run
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.signals import thresholds
from dataflywheel.rows.parts import read_rows
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


def test_rows_lie_in_the_order_that_a_selection_gives_them(tmp_path: Path) -> None:
    ordered: dict[str, list[int]] = {}
    for then in ("delt_folding", None):
        select = {"select": {"by": "longest", "then": then, "keep": 30, "per": "tag"}}
        recipe = job(tmp_path, [select], name=str(then))
        result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
        folder = result.path / "round-1" / "01-select"
        columns = pq.read_table(folder / "columns.parquet")
        tokens = dict(zip(columns["id"].to_pylist(), columns["text.tokens_answer"].to_pylist(), strict=True))
        ordered[str(then)] = [tokens[i] for i in read_rows(folder / "rows", ["id"])["id"].to_pylist()]
    folds = [ordered["delt_folding"][10 * k : 10 * k + 10] for k in range(3)]
    assert all(fold == sorted(fold) for fold in folds)
    assert sorted(ordered["delt_folding"]) == sorted(ordered["None"])
