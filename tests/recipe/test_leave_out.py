"""A recipe without one of its steps: what was planted is found, nothing is done twice, and a kill costs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Cost
from dataflywheel.recipe.comparing import trials
from dataflywheel.recipe.comparing.worth import step_worths
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.writing import Writing
from dataflywheel.report.why_written import final_rows
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.scoreboard import MeanInterval, StepWorth
from tests.evolution.planted_wheels import planted_method
from tests.recipe.jobs import job
from tests.recipe.test_wheel import CLEANED, MORE, TURN
from tests.recipe.worths import EACH, STEPS, arm, counted, measured, planted, shortened, walked

PARTS = ("pump", "filter", "tank", "valve")


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "slow" not in request.keywords:
        monkeypatch.setattr(trials, "run_trial", counted)


def bounds(line: StepWorth) -> MeanInterval:
    assert line.worth is not None
    return line.worth


def ids(rows: Path) -> set[str]:
    return set(read_rows(rows, ["id"])["id"].to_pylist())


def test_it_tells_the_step_that_helps_from_the_one_that_harms(tmp_path: Path) -> None:
    _, without, board = measured(planted(tmp_path), tmp_path)
    by_step = {line.step: line for line in board.steps or []}
    assert list(by_step) == ["02-select", "03-generate", "04-generate"]  # decontamination stays
    right, wrong = by_step["03-generate"], by_step["04-generate"]
    assert right.verdict == "it helped"
    assert bounds(right).low <= 24 * EACH <= bounds(right).high
    assert wrong.verdict == "it harmed"
    assert bounds(wrong).low <= -24 * EACH <= bounds(wrong).high
    assert (right.rows, right.rows_with) == (36, 60)
    assert right.token_ratio == pytest.approx(36 / 60)
    assert json.loads((tmp_path / "runs" / "worth-0" / "compare.json").read_text())["steps"] == board.as_dict()["steps"]
    # Every other step keeps its number and its seed: the wrong rows are the same with and without the right ones.
    own = tmp_path / "runs" / "worth-0" / "round-1"
    added = [ids(own / "04-generate" / "rows") - ids(own / "03-generate" / "rows")]
    assert added[0] < set(without[1].ids)
    assert not (ids(own / "03-generate" / "rows") - ids(own / "02-select" / "rows")) & set(without[1].ids)


def test_what_comes_before_the_step_is_taken_from_the_run_and_billed_once(tmp_path: Path) -> None:
    context, without, _ = measured(planted(tmp_path), tmp_path)
    own, part = context.run.path, context.run.path / "without" / "04-generate"
    for step in ("00-pool", "01-decontaminate", "02-select", "03-generate"):
        there, lent = (folder / "round-1" / step / "metrics.json" for folder in (own, part))
        assert there.stat().st_ino == lent.stat().st_ino, step
    assert set(without[2].ids) == ids(own / "round-1" / "03-generate" / "rows")
    again = {name for name in context.run.ledger.steps if name.startswith("without/")}
    assert again == {
        "without/02-select/round-1/03-generate",
        "without/02-select/round-1/04-generate",
        "without/03-generate/round-1/04-generate",
    }


def test_after_a_kill_the_same_comes_out_and_nothing_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = measured(planted(tmp_path / "whole"), tmp_path / "whole")[2]
    asked: list[str] = []

    do = Writing.do

    def killed(step: Writing, given: Given) -> Any:
        asked.append(f"{given.context.run.path.name}/{step.place}")
        if len(asked) == 4:  # the second writing step of the recipe without its selection
            raise KeyboardInterrupt
        return do(step, given)

    monkeypatch.setattr(Writing, "do", killed)
    made = planted(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        measured(made, tmp_path / "killed")
    board = measured(made, tmp_path / "killed")[2]
    assert asked[3:] == ["02-select/04-generate", "02-select/04-generate", "03-generate/04-generate"]
    assert [line.worth for line in board.steps or []] == [line.worth for line in whole.steps or []]
    asked.clear()
    assert measured(made, tmp_path / "killed")[2] == board
    assert asked == []


def test_a_step_that_changes_nothing_is_said_to(tmp_path: Path) -> None:
    loose = {"filter": {"bounds": {"text.chars_answer": [1, None]}}}
    made = planted(tmp_path, [STEPS[0], loose, *STEPS[1:3], *STEPS[4:]])
    (line, *_) = measured(made, tmp_path)[2].steps or []
    assert line.verdict == "the rows are the same without it"
    assert line.worth == MeanInterval(mean=0.0, low=0.0, high=0.0)


def test_a_step_that_nothing_goes_without_is_told_in_words(tmp_path: Path) -> None:
    """What is written is short and the documents are long, so that a limit of length leaves written rows alone."""
    manual = "".join(f"The {part} is a machine that moves water from well {i}.\n\n" for i, part in enumerate(PARTS))
    (tmp_path / "manual.jsonl").write_text(json.dumps({"text": manual}) + "\n", encoding="utf-8")
    made = planted(tmp_path)
    steps: list[Any] = [
        *STEPS[:1],
        {"generate": {"by": "grounded_rules", "rows": 4, "visits": 4, "gates": ["format_and_length"]}},
        {"filter": {"bounds": {"text.tokens_answer": [None, 30]}}},
        {"select": {"by": "random", "keep": 2}},
        *STEPS[4:],
    ]
    pool = recipe_from(
        {**made.model_dump(mode="json"), "pool": [{"path": str(tmp_path / "manual.jsonl")}], "steps": steps}
    )
    with planted_method():
        needed, *others = shortened(walked(pool, tmp_path))
    assert needed.step.place == "02-generate"
    assert needed.needed.startswith("03-filter: no row is left of 1")
    assert not needed.ids
    assert all(one.ids and not one.needed for one in others)
    (line,) = step_worths(RunDirectory(tmp_path / "runs" / pool.name), [needed], arm("x", 2), {"x": {}}, "lower")
    assert line.verdict == "needed"
    assert line.failure.startswith("the recipe cannot run without it: 03-filter: no row is left")
    assert (line.worth, line.scores) == (None, [])


def test_hours_that_are_used_up_leave_steps_unmeasured_and_are_tried_again(tmp_path: Path) -> None:
    with planted_method():
        walk = walked(planted(tmp_path, budget={"hours": 1}), tmp_path)
        walk.context.run.ledger.earlier = Cost(seconds=7200)
        late = shortened(walk)
        assert [one.stopped.partition(" before ")[0] for one in late[:2]] == ["the 1 hours were used up"] * 2
        assert not late[0].ids
        assert late[2].ids  # nothing comes after the step
        walk.context.run.ledger.earlier = Cost()
        assert all(one.ids and not one.stopped for one in shortened(walk))


def test_hours_that_end_among_the_trials_cost_the_arms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two arms and three seeds are six trials; those without a step and of parts of the rows come after them."""
    trained: list[int] = []

    def counting(*given: Any) -> Any:
        trained.append(1)
        return counted(*given)

    monkeypatch.setattr(trials, "run_trial", counting)
    made = planted(tmp_path)
    with monkeypatch.context() as at_an_hour:
        at_an_hour.setattr(Context, "out_of_time", lambda _: len(trained) >= 6)
        board = measured(made, tmp_path)[2]
    assert board.seeds == [0, 1, 2]
    assert [line.verdict for line in board.steps or []] == ["not measured"] * 3
    assert board.curve is not None
    assert "after 0" in board.curve.failure
    whole = measured(made, tmp_path)[2]  # the same command again, with hours left
    assert [line.verdict for line in whole.steps or []][1:] == ["it helped", "it harmed"]
    assert whole.curve is not None
    assert whole.curve.next is not None
    assert whole.curve.next.rows == 60
    assert whole.arms[0].scores == board.arms[0].scores


def test_folders_of_steps_that_are_no_longer_left_out_go(tmp_path: Path) -> None:
    one = {"arms": ["random"], "seeds": 3, "leave_one_out": ["04-generate"]}
    with planted_method():
        shortened(walked(planted(tmp_path), tmp_path))
        (left,) = shortened(walked(planted(tmp_path, compare=one), tmp_path))
    assert [path.name for path in (tmp_path / "runs" / "worth-0" / "without").iterdir()] == ["04-generate"]
    assert left.step.place == "04-generate"


@pytest.mark.slow
def test_a_wheel_is_turned_again_without_a_step_and_nothing_is_done_twice(tmp_path: Path) -> None:
    compare = {"arms": ["random"], "seeds": 2, "leave_one_out": ["generate"]}
    made = job(tmp_path, [*CLEANED, *TURN], compare=compare, **MORE)
    result = run(made, runs=tmp_path / "runs", home=tmp_path / "store")
    assert result.comparison is not None
    (line,) = result.comparison.steps or []
    assert line.step == "06-generate"
    part = result.path / "without" / "06-generate"
    assert [p.parent.name for p in sorted(part.glob("round-*/turn.json"))] == ["round-1", "round-2"]
    assert not (part / "sealed").exists()  # the sealed tier is looked at by the wheel itself, once
    final = final_rows(part)  # of the last round that was kept
    assert final is not None
    rows = read_rows(final).to_pylist()
    assert {row["made_by"] for row in rows} <= {"", "redact_personal_data"}
    assert line.rows == len(rows) < line.rows_with
    own = result.comparison.arms[0].scores
    by_hand = sum(b - a for a, b in zip(own, line.scores, strict=True)) / 2
    assert bounds(line).mean == pytest.approx(by_hand)
    written = {p: p.stat().st_mtime_ns for p in result.path.rglob("*.parquet")}
    again = run(made, runs=tmp_path / "runs", home=tmp_path / "store")
    assert again.comparison == result.comparison
    assert all(p.stat().st_mtime_ns == t for p, t in written.items() if "round-" in str(p))
