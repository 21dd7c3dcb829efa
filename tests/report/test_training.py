"""Losses by step, and the settings of each training."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.report.drawing.line_chart import DRAWN, Line, line_chart, thinned
from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.evaluation import evaluation
from dataflywheel.report.sections.training import losses, training
from dataflywheel.report.sections.use import model_of
from dataflywheel.report.sections.wheel import wheel
from dataflywheel.store.record import StepRecord


def run_of(folder: Path, *records: StepRecord) -> Run:
    for index, record in enumerate(records):
        record.write(folder / "round-1" / f"{index:02d}-{record.step}")
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    return load_run(folder)


def trained(found: list[list[float | None]]) -> StepRecord:
    told = {"losses": found, "steps": 90, "tokens": 1234, "seconds": 5.0, "model": "models/student"}
    given = {"epochs": 3.0, "batch_size": 8, "lora": {"rank": 4}, "max_length": 64, "dtype": None, "seed": 1}
    return StepRecord(step="train", params=given, details={**told, "learning_rate": 0.004})


def test_losses_are_drawn_beside_the_settings(tmp_path: Path) -> None:
    shown = training(run_of(tmp_path, StepRecord(step="pool"), trained([[1, 4.0], [45, 3.0], [90, 2.5]])))
    assert "train: 4.000 to 2.500" in shown
    assert len(re.findall(r'class="fit"', shown)) == 2
    cells = re.findall(r'data-label="(learning rate|rows a step|passes|adapters|the rest)">([^<]*)<', shown)
    assert cells == [
        ("learning rate", "0.004"),
        ("rows a step", "8"),
        ("passes", "3"),
        ("adapters", "LoRA, rank 4"),
        ("the rest", "max length 64"),
    ]


def test_a_run_without_training_has_no_such_section(tmp_path: Path) -> None:
    assert training(run_of(tmp_path, StepRecord(step="pool"))) == ""


def test_what_is_no_number_is_not_drawn(tmp_path: Path) -> None:
    run = run_of(tmp_path, trained([[1, None], [2, 3.0], [3, 2.0]]))
    assert losses(run.steps[0]) == [(2.0, 3.0), (3.0, 2.0)]
    assert training(run_of(tmp_path / "b", trained([[1, None]]))) == ""


@pytest.mark.parametrize("n", [1, 2, DRAWN, 10 * DRAWN])
def test_a_line_keeps_its_mean_and_its_length_is_bounded(n: int) -> None:
    steps, values = thinned(np.arange(1.0, n + 1), np.arange(float(n)))
    assert len(steps) == min(n, DRAWN)
    assert values.mean() == pytest.approx((n - 1) / 2)
    chart = line_chart("k", "<t>", "d", [Line("<b>", np.arange(1.0, n + 1), np.arange(float(n)))], "step")
    assert "<b>" not in chart
    assert "nan" not in chart


def test_the_model_to_load_is_none_that_was_taken_back(tmp_path: Path) -> None:
    for number, kept in ((1, True), (2, False)):
        folder = tmp_path / f"round-{number}"
        record = trained([[1, 4.0], [90, 2.5]])
        record.details["model"] = f"models/round-{number}"
        record.write(folder / "04-train")
        turn = {"round": number, "kept": kept, "reasons": [], "budget": {"steps": {}, "slices": {}}}
        (folder / "turn.json").write_text(json.dumps(turn), encoding="utf-8")
    run = load_run(tmp_path)
    assert "sealed tier was not scored: that is done once, after the last round" in wheel(run)
    assert model_of(run) == f"{tmp_path}/models/round-1"
    assert "round 2 was taken back" in evaluation(run)
    (tmp_path / "models" / "student").mkdir(parents=True)
    assert model_of(run) == f"{tmp_path}/models/student"
