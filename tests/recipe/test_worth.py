"""What a step was worth, by hand: the sign says who is better, pairing hides the seeds, and no failure is a number."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dataflywheel.contracts import Cost
from dataflywheel.recipe.comparing.leave_out import LeftOut
from dataflywheel.recipe.comparing.worth import charged, said, step_worths, without_arms, worth_of
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.store.atomic import write_json
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.scoreboard import Better, MeanInterval, StepWorth
from tests.recipe.worths import arm, trial

RECIPE = {"name": "x", "pool": {"path": "p"}, "steps": [{"generate": {"by": "grounded_rules", "rows": 5}}]}
(STEP,) = build_steps(recipe_from(RECIPE))
scores = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=6)


def line(
    tmp_path: Path, left: LeftOut, with_it: list[float], without: list[float], better: Better = "lower"
) -> StepWorth:
    trials = {
        "selection": {s: trial(value, 200) for s, value in enumerate(with_it)},
        "without 01-generate": {s: trial(value, 100) for s, value in enumerate(without)},
    }
    return step_worths(RunDirectory(tmp_path), [left], arm("selection", 10), trials, better)[0]


@given(scores)
def test_it_is_the_paired_interval_of_scipy_and_turns_with_the_metric(pairs: list[tuple[float, float]]) -> None:
    with_it, without = (list(side) for side in zip(*pairs, strict=True))
    found = worth_of(with_it, without, "lower")
    differences = np.subtract(without, with_it)
    assert found.mean == pytest.approx(differences.mean(), abs=1e-9)
    if differences.std() > 1e-6:
        low, high = stats.t.interval(0.95, len(pairs) - 1, differences.mean(), stats.sem(differences))
        assert [found.low, found.high] == pytest.approx([low, high], abs=1e-7)
    turned = worth_of(with_it, without, "higher")
    assert turned.mean == pytest.approx(-found.mean, abs=1e-9)
    assert turned.low == pytest.approx(-found.high, abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.3, "it helped"),
        (-0.3, -0.1, "it harmed"),
        (-0.1, 0.3, "no difference shown"),
        (0.0, 0.1, "no difference shown"),
    ],
)
def test_an_interval_that_touches_zero_shows_nothing(low: float, high: float, words: str) -> None:
    assert said(MeanInterval(mean=(low + high) / 2, low=low, high=high)) == words


def test_a_line_by_hand(tmp_path: Path) -> None:
    left = LeftOut(STEP, tmp_path, ("0", "1", "2"))
    found = line(tmp_path, left, [1.0, 5.0, 9.0], [1.2, 5.1, 9.3])
    assert found.worth is not None
    assert found.worth.mean == pytest.approx(0.2)
    # differences .2, .1, .3: deviation .1, t(0.975, 2) = 4.3027
    assert found.worth.high - 0.2 == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-4)
    assert found.verdict == "no difference shown"
    assert line(tmp_path, left, [1.0, 5.0, 9.0], [1.2, 5.21, 9.2]).verdict == "it helped"
    assert line(tmp_path, left, [1.0, 5.0, 9.0], [1.2, 5.21, 9.2], "higher").verdict == "it harmed"
    assert (found.step, found.by, found.rows, found.rows_with) == ("01-generate", "grounded_rules", 3, 10)
    assert found.token_ratio == 0.5
    assert found.scores == [1.2, 5.1, 9.3]


def mean_of(line: StepWorth) -> float:
    assert line.worth is not None
    return line.worth.mean


def test_only_seeds_that_both_were_trained_with_are_paired(tmp_path: Path) -> None:
    left = LeftOut(STEP, tmp_path, ("0",))
    assert mean_of(line(tmp_path, left, [1.0, 5.0, 9.0], [2.0, 6.0])) == pytest.approx(1.0)
    one = line(tmp_path, left, [1.0, 5.0, 9.0], [2.0])
    assert (one.verdict, one.worth, one.scores) == ("not measured", None, [])
    assert "hours" in one.failure


@pytest.mark.parametrize(
    ("left", "verdict", "words"),
    [
        (LeftOut(STEP, Path(), needed="no row is left"), "needed", "the recipe cannot run without it: no row is left"),
        (LeftOut(STEP, Path(), stopped="the 1 hours were used up"), "not measured", "the 1 hours were used up"),
    ],
)
def test_what_could_not_run_is_words(tmp_path: Path, left: LeftOut, verdict: str, words: str) -> None:
    found = line(tmp_path, left, [1.0, 2.0], [])
    assert (found.verdict, found.failure, found.worth) == (verdict, words, None)


def test_a_score_that_is_not_there_is_no_number(tmp_path: Path) -> None:
    found = line(tmp_path, LeftOut(STEP, tmp_path, ("0",)), [1.0, 2.0], [math.nan, 2.0])
    assert (found.verdict, found.worth) == ("not measured", None)


def test_rows_that_are_the_same_make_no_difference(tmp_path: Path) -> None:
    ids = tuple(map(str, range(10)))
    assert line(tmp_path, LeftOut(STEP, tmp_path, ids), [1.0, 2.0], [1.0, 2.0]).verdict == (
        "the rows are the same without it"
    )


def test_only_parts_with_rows_become_arms(tmp_path: Path) -> None:
    parts = [LeftOut(STEP, tmp_path, ("a", "b")), LeftOut(STEP, tmp_path, needed="x")]
    (found,) = without_arms(parts, 3)
    assert (found.name, found.ids) == ("without 01-generate", (("a", "b"),) * 3)


def test_a_step_is_charged_for_all_rounds_and_for_what_was_measured_earlier(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for round, details in ((1, {"measuring_seconds": 7.0, "ranking_seconds": 0.5}), (2, {})):
        folder = run.step(1, "generate", round)
        write_json(folder / "metrics.json", {"details": details})
        run.bill(folder, Cost(seconds=2.0, usd=0.25, calls=3))
    write_json(run.step(2, "filter") / "metrics.json", {"details": {}})
    run.bill(run.step(2, "filter"), Cost(seconds=99.0))
    assert charged(run, "01-generate") == Cost(seconds=9.5, usd=0.5, calls=6)
