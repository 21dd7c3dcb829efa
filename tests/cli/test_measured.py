"""The last lines of a command: what each step was worth, and the next rows; nothing where neither was asked for."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from dataflywheel.cli.compare import costs, scores
from dataflywheel.cli.measured import beside
from dataflywheel.cli.plan import _again
from dataflywheel.store.plan import PlannedComparison, PlannedRun
from dataflywheel.store.scoreboard import Scoreboard
from tests.report.comparison import comparison

COST = {"seconds": 12.3, "usd": 0.5}


def test_a_line_each_and_one_for_the_curve() -> None:
    found = {"mean": 0.02, "low": 0.01, "high": 0.03}
    helped = {"step": "05-enhance", "verdict": "it helped", "worth": found, "token_ratio": 1.0, "cost": COST}
    more = {**helped, "token_ratio": 0.5}
    needed = {**helped, "worth": None, "verdict": "needed", "failure": "the recipe cannot run without it: no row"}
    board: dict[str, Any] = {
        "steps": [helped, more, needed],
        "curve": {"failure": "", "said": "80 rows more would help"},
    }
    lines = beside(Scoreboard.model_validate(board))
    assert lines[0] == "Worth of 05-enhance: it helped, +0.0200 (+0.0100 to +0.0300); the step took 12.3 s and $0.50."
    assert "without it 0.50 times the training tokens" in lines[1]
    assert "needed, the recipe cannot run without it: no row; the step took" in lines[2]
    assert lines[3] == "Next rows: 80 rows more would help."
    assert beside(Scoreboard.model_validate({"curve": {"failure": "needs 3 seeds"}})) == ["Next rows: needs 3 seeds."]


def test_nothing_where_nothing_was_asked_for() -> None:
    assert beside(None) == beside(Scoreboard()) == []


def test_a_plan_says_how_often_the_job_runs() -> None:
    more = [PlannedRun(what=what) for what in ("without 03-filter", "without 05-enhance", "learning curve")]
    assert _again(PlannedComparison(more=more))[0].startswith("The job runs 2 more times, each without one step")
    assert _again(PlannedComparison(more=more[:1]))[0].startswith("The job runs 1 more time,")
    assert _again(PlannedComparison(more=more[2:])) == _again(None) == []


def test_the_tables_of_a_comparison_fit_a_terminal() -> None:
    board = Scoreboard.model_validate(comparison())
    for made, heading in ((scores(board), "difference"), (costs(board), "trained in  length  shared")):
        shown = StringIO()
        Console(width=80, file=shown).print(made)
        assert "\u2026" not in shown.getvalue()
        assert heading in shown.getvalue().splitlines()[0]
