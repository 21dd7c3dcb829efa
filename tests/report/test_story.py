"""The four lines of the first screen say what the run's files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import Cost
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.story import because, coming, cost, made, story
from dataflywheel.store.ledger import Ledger
from tests.report.comparison import comparison
from tests.report.fixture import HOSTILE, build_run


def test_what_was_made_from_what(tmp_path: Path) -> None:
    run = load_run(build_run(tmp_path / "run"))
    assert run.pool is not None
    read = f"{max(run.pool.rows_in, run.pool.rows_out):,}"
    assert made(run) == (
        f"100 rows out of {read} (alpaca); a model that learned them in 38 steps. "
        "Training took it from 8.020 to 2.310 bits per byte (lower is better)."
    )


def test_what_measuring_took_is_told_apart(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run")
    before = Ledger(folder / "ledger.json").total().seconds
    Ledger(folder / "ledger.json").enter("compare", Cost(120.0, usd=0.5))
    told = cost(load_run(folder))
    assert f"{before:.1f} s, $0.00" in told
    assert "61.2 k tokens read in training" in told
    assert told.endswith("To measure what it is worth took 2 min more and $0.50.")


@pytest.mark.parametrize(
    ("verdict", "why", "next_"),
    [
        ("better than random", "The choice of rows did it", "Train your own model"),
        ("no better than random", "by itself was not measured", "take them"),
        ("worse than random", "by itself was not measured", "Do not use this choice"),
    ],
)
def test_why_and_what_next_follow_the_verdict(tmp_path: Path, verdict: str, why: str, next_: str) -> None:
    run = load_run(build_run(tmp_path / "run", compare=comparison(verdict)))
    assert why in because(run)
    assert next_ in coming(run)
    assert "The weakest slice is writing." in coming(run)


def test_rounds_that_gain_nothing_are_advised_against(tmp_path: Path) -> None:
    board = comparison()
    own = next(arm for arm in board["arms"] if arm["name"] == "selection")
    equal = {**own, "name": "one_round", "role": "baseline", "scores": [own["scores"][i] for i in (1, 0, 3, 2, 4)]}
    run = load_run(build_run(tmp_path / "run", compare={**board, "arms": [*board["arms"], equal]}))
    assert "One round does as well: leave rounds out." in coming(run)
    assert "one round of the same selection, without rewriting and writing, is as good" in because(run)
    assert "leave rounds out" not in coming(load_run(build_run(tmp_path / "b", compare=board)))


def test_steps_that_helped_are_named_with_their_worth(tmp_path: Path) -> None:
    worth = {"mean": 0.2, "low": 0.1, "high": 0.3}
    steps = [
        {"step": "04-select", "verdict": "it helped", "worth": worth},
        {"step": "03-filter", "verdict": "no difference shown", "worth": {"mean": 0.0, "low": -0.1, "high": 0.1}},
    ]
    told = because(load_run(build_run(tmp_path / "run", compare={**comparison(), "steps": steps})))
    assert "04-select helped: +0.200 (+0.100 to +0.300) bits per byte." in told
    assert "03-filter" not in told
    assert "not measured" not in told


def test_a_stopped_and_an_unmeasured_run_say_how_to_go_on(tmp_path: Path) -> None:
    assert "goes on where it stopped" in coming(load_run(build_run(tmp_path / "a", finished=False)))
    assert "flywheel compare" in coming(load_run(build_run(tmp_path / "b")))


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    shown = story(load_run(build_run(tmp_path / "run", compare=comparison(), hostile=True)))
    assert HOSTILE not in shown
    assert "<script" not in shown
