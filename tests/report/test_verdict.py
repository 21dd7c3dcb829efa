"""What the report says first."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.report.drawing.markup import esc
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.overview import arm_label
from dataflywheel.report.sections.scoreboard import difference_drawing
from dataflywheel.report.verdict import rounds_said, rows_said, verdict
from dataflywheel.store.scoreboard import Scoreboard
from tests.report.comparison import comparison
from tests.report.fixture import build_run


@pytest.mark.parametrize(
    ("shift", "better", "said"),
    [
        (0.1, "lower", "the rounds paid"),
        (0.0, "lower", "one round is enough"),
        (-0.1, "lower", "one round is better"),
        (-0.1, "higher", "the rounds paid"),
    ],
)
def test_the_report_says_what_rounds_were_worth_beside_one(
    tmp_path: Path, shift: float, better: str, said: str
) -> None:
    board = comparison(better=better)
    own, other = board["arms"][:2]
    noise = [0.001, -0.001, 0.002, -0.002, 0.0]
    other |= {"name": "one_round", "scores": [s + shift + n for s, n in zip(own["scores"], noise, strict=True)]}
    detail = verdict(load_run(build_run(tmp_path / "run", compare=board))).detail
    assert f"{said}." in detail
    assert "one round of the same selection (as many training tokens)" in detail


def test_rounds_that_were_not_compared_are_not_judged() -> None:
    assert rounds_said(None) == ""
    assert rounds_said(Scoreboard.model_validate(comparison())) == ""


def test_no_more_rows_remain_than_came() -> None:
    assert rows_said(3, 34, "remain") == "3 rows of 34 remain"
    assert rows_said(34, 34, "remain") == "34 rows of 34 remain"
    assert rows_said(38, 34, "remain") == "34 rows became 38"


def test_an_arm_has_one_name_in_tables_and_drawings() -> None:
    board = Scoreboard.model_validate(comparison())
    for arm in board.arms:
        if arm.difference is not None:
            drawn = difference_drawing(arm, 1.0, board.better)
            assert f"{esc(arm_label(arm))} minus random" in drawn
            assert arm_label(arm) == arm.name or f"{arm.name} minus random" not in drawn
