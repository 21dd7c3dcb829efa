"""Slices over rounds in one chart, and what stands behind the slice `other`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.evaluation import evaluation
from dataflywheel.report.sections.round_lines import round_lines
from dataflywheel.report.sections.small_slices import small_slices
from dataflywheel.store.atomic import write_json
from dataflywheel.store.record import StepRecord
from dataflywheel.store.round_record import RoundRecord


def told(*values: float | None) -> dict[str, Any]:
    slices = {name: {"value": value} for name, value in zip(("one", "<two>"), values[1:], strict=False)}
    return {"metric": "bits_per_byte", "better": "lower", "overall": {"value": values[0], "n": 9}, "slices": slices}


def wheel(folder: Path, *rounds: dict[str, Any]) -> Run:
    for number, details in enumerate(rounds, 1):
        StepRecord(step="evaluate", details=details).write(folder / f"round-{number}" / "03-evaluate")
        RoundRecord(round=number, kept=number != 2).write(folder / f"round-{number}")
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    return load_run(folder)


def test_one_chart_holds_all_rounds_in_place_of_one_each(tmp_path: Path) -> None:
    run = wheel(tmp_path, told(3.1, 3.0, 3.3), told(3.2, 2.9, None), told(2.8, 2.7, 3.0))
    html = round_lines(run)
    assert "all rows: 3.100 to 2.800; one: 3.000 to 2.700; &lt;two&gt;: 3.300 to 3.000" in html
    assert html.count("<circle") == 3 + 3 + 2
    assert "Taken back: round 2." in html
    whole = evaluation(run)
    assert whole.count("the weakest on top") == 2  # caption and title of the last kept round alone
    assert len(re.findall(r"<svg", whole)) == 2


def test_a_single_round_has_no_such_chart(tmp_path: Path) -> None:
    assert round_lines(wheel(tmp_path, told(3.1, 3.0))) == ""


def test_small_slices_are_named_with_their_limit(tmp_path: Path) -> None:
    names = ["big"] * 30 + ["odd"] * 3 + ["<b>"] * 2 + ["rare"]
    folder = tmp_path / "round-1" / "03-evaluate"
    folder.mkdir(parents=True)
    ids, slices = (np.array(values, dtype=object) for values in (list(map(str, range(36))), names))
    write_scores(folder / "scores.parquet", RowScores(ids, slices, np.ones(36), np.ones(36)))
    details = {"slices": {"big": {"value": 1.0}, "other": {"value": 2.0}}}
    StepRecord(step="evaluate", params={"smallest_slice": 5}, details=details).write(folder)
    (tmp_path / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    shown = small_slices(load_run(tmp_path).steps[0])
    assert "3 slices of fewer than 5 rows, 6 rows together" in shown
    assert "odd (3), &lt;b&gt; (2), rare (1)." in shown
    StepRecord(step="evaluate", details={"slices": {"big": {}}}).write(folder)
    assert small_slices(load_run(tmp_path).steps[0]) == ""


def test_target_rows_that_guided_are_told_and_the_untrained_score_beside(tmp_path: Path) -> None:
    details = {**told(2.5, 2.4, 2.6), "untrained": {"overall": {"value": 8.01, "low": 8.0, "high": 8.02}}}
    StepRecord(step="evaluate", details=details).write(tmp_path / "round-1" / "03-evaluate")
    (tmp_path / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    (tmp_path / "tiers").mkdir()
    write_json(tmp_path / "tiers" / "metrics.json", {"steer": 24, "select": 0, "sealed": 36})
    shown = evaluation(load_run(tmp_path))
    assert "24 rows of the target guided the choice of rows, and are not scored." in shown
    assert "The untrained student: 8.010 (8.000 to 8.020)." in shown
