"""What one step of a round hands to the next: what a budget of nothing leaves, and what a comparison is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dataflywheel.recipe import execute
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.rounds import seal_wheel
from dataflywheel.recipe.rounds.round import Kept, Memory
from dataflywheel.recipe.rounds.round_plan import RoundPlan
from dataflywheel.recipe.rounds.wheel import Wheel
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, count_rows
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory

SELECT = {"select": {"by": "random", "keep": 9}}
GENERATE = {"generate": {"by": "grounded_rules", "rows": 9}}
ENHANCE = {"enhance": {"by": "mask_toxicity", "where": {"text.turns": [1, 2]}}}


def wheel_of(folder: Path, steps: list[Any], kind: type[Wheel] = Wheel) -> Wheel:
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [*steps, "train", "evaluate"]}
    made = recipe_from({**value, "target": [{"builtin": "python_docs", "split": "held_out"}], "rounds": 3})
    wheel = kind(Context(made, RunDirectory(folder / "run"), folder / "store"), build_steps(made))
    with PartWriter(folder / "rows") as writer:
        writer.write(build([prompt_answer_row(f"What is {number}?", "A number.") for number in range(4)]))
    wheel.context = replace(wheel.context, pool=folder / "rows")
    wheel.state = State(folder / "rows", "f")
    return wheel


@pytest.mark.parametrize(
    ("steps", "budget", "rows"),
    [
        ([SELECT, ENHANCE], {"01-select": 0}, 0),
        ([GENERATE, ENHANCE], {"01-generate": 0}, 4),
        ([SELECT, GENERATE, ENHANCE], {"01-select": 0, "02-generate": 0}, 0),
    ],
)
def test_what_gets_nothing_of_a_round_brings_nothing_and_takes_nothing(
    tmp_path: Path, steps: list[Any], budget: Mapping[str, int], rows: int
) -> None:
    class UpToTheFirst(Wheel):
        reached: tuple[str, int] | None = None

        def _budget(self, memory: Memory, round: int, offered: Path) -> RoundPlan:
            return RoundPlan(budget, {}, None, None)

        def attempt(self, step: Step, result: Result) -> bool:
            self.reached = (step.name, count_rows(self.state.rows))
            return False

    wheel = wheel_of(tmp_path, steps, UpToTheFirst)
    assert isinstance(wheel, UpToTheFirst)
    memory = Memory(tmp_path / "rows", tmp_path / "rows", [])
    assert not wheel._round(memory, 1, Result(tmp_path, 4, 4))
    assert wheel.reached == ("enhance", rows)


def test_a_comparison_is_told_of_the_whole_selection_and_of_the_rows_that_were_trained_on(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, [SELECT])
    select, train, _ = wheel.steps
    for round in (1, 2):
        one = select.in_round(round, 3, {"x": 3})
        given = Given(wheel.context, wheel.steps, wheel.state, tmp_path / f"select-{round}", "f")
        wheel.state = one.after(given, StepRecord(details={"ranking_seconds": 1.5}))
        assert wheel.state.rows == tmp_path / f"select-{round}" / "rows"
    chosen = wheel.state.chosen
    assert chosen is not None
    assert (chosen.select, chosen.ranking_seconds) == (select.work, 1.5)
    mixed = State(tmp_path / "accumulated", "f", chosen=chosen)
    given = Given(wheel.context, wheel.steps, mixed, tmp_path / "train", "f")
    record = StepRecord(details={"model": "models/round-2"})
    after = train.after(given, record)
    assert after.chosen is not None
    assert (after.chosen.trained, after.chosen.before) == (tmp_path / "accumulated", chosen.before)
    assert after.model == train.context_after(given, record).trained == wheel.context.run.path / "models" / "round-2"
    assert (after.rows, after.training) == (mixed.rows, train)


def test_a_wheel_is_compared_as_a_whole_and_on_rows_that_nothing_was_chosen_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exams: list[Path] = []

    def exam(context: Context, scoring: Any, rows: Path) -> Any:
        exams.append(rows)
        return SimpleNamespace(metric="bits_per_byte")

    wheel = wheel_of(tmp_path, [SELECT])
    select, train, evaluate = wheel.steps
    (model := tmp_path / "run" / "models" / "round-1").mkdir(parents=True)
    (model / "config.json").write_text("{}", encoding="utf-8")
    prepared, sealed, kept = (tmp_path / name for name in ("prepared", "sealed", "kept"))
    wheel.memory = Memory(prepared, sealed, [], kept=Kept(kept, model, {}))
    last = Chosen(tmp_path / "offered", prepared, (), tmp_path / "taken back", select.work)  # type: ignore[arg-type]
    wheel.state = State(kept, "f", chosen=last, training=train, scoring=evaluate.work)  # type: ignore[arg-type]
    for name, given in (("eval_set", exam), ("examine", lambda *_: None), ("summarise", lambda *_: {"n": 1})):
        monkeypatch.setattr(seal_wheel, name, given)
    monkeypatch.setattr(seal_wheel, "write_scores", lambda path, scores: path.write_text("", encoding="utf-8"))
    result = Result(tmp_path, 4, 4, rounds=2)
    for _ in range(2):
        wheel.state = seal_wheel.seal(wheel.context, wheel.state, wheel.memory, result)
    assert exams == [sealed], "it is looked at once"
    assert result.evaluation is not None
    assert result.evaluation.as_dict() == {"n": 1}
    assert result.model == tmp_path / "run" / "models" / "student"
    monkeypatch.setattr(execute, "eval_set", exam)
    monkeypatch.setattr(execute, "student_folder", lambda context: tmp_path)
    monkeypatch.setattr(execute, "run_comparison", lambda context, chosen, *given: {"chosen": chosen})
    wheel.context = replace(wheel.context, target=tmp_path / "rows")
    chosen = execute._compared(wheel, [])["chosen"]
    assert exams == [sealed, sealed]
    assert (chosen.before, chosen.trained, chosen.label) == (prepared, kept, "the wheel, 2 rounds")


def test_a_round_writes_from_all_cleaned_rows_and_never_sees_the_sealed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class UpToTheFirst(Wheel):
        def _round(self, memory: Memory, round: int, result: Result) -> bool:
            return False

    tiers = {name: tmp_path / name for name in ("steer", "select", "sealed")}
    monkeypatch.setattr("dataflywheel.recipe.rounds.wheel.write_tiers", lambda context: tiers)
    wheel = wheel_of(tmp_path, [GENERATE], UpToTheFirst)
    assert wheel.fold(Result(tmp_path, 4, 4)) == []
    assert wheel.state.seeds == tmp_path / "rows"
    assert wheel.state.tiers == {name: tiers[name] for name in ("steer", "select")}
    assert wheel.sealed() == tiers["sealed"]
