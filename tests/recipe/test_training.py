"""What takes part in the training of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps import train
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.distill import Distill, Distilling
from dataflywheel.recipe.steps.learning import Learning
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.train import Train, Training
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory


@pytest.mark.parametrize(("sampler", "learnt"), [("rho_loss", "steer"), ("doremi", "pool")])
def test_a_reference_is_trained_on_what_the_sampler_compares_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str, learnt: str
) -> None:
    asked: list[tuple[Path, Sequence[str]]] = []

    def trained(home: Path, rows: Path, ids: Sequence[str], *given: Any) -> tuple[Path, dict[str, Any]]:
        asked.append((rows, ids))
        return tmp_path / "reference", {}

    monkeypatch.setattr(train, "trained", trained)
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["train"]})
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    rows = {name: prompt_answer_row(name, "a") for name in ("pool", "steer")}
    for name, row in rows.items():
        with PartWriter(tmp_path / name) as writer:
            writer.write(build([row]))
    context.pool, context.guide = tmp_path / "pool", tmp_path / "steer"
    step = Training(1, "train", Train(sampler=sampler))  # type: ignore[arg-type]
    found = step.teaching(context, tmp_path)
    assert found.reference == tmp_path / "reference"
    assert asked == [(tmp_path / learnt, [rows[learnt]["id"]])]


def test_a_sampler_that_compares_with_the_target_is_refused_without_one() -> None:
    plain = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["train"]}
    untargeted = recipe_from(plain)
    targeted = recipe_from({**plain, "target": [{"builtin": "python_docs", "split": "held_out"}]})

    def step(sampler: str) -> Training:
        return Training(1, "train", Train(sampler=sampler))  # type: ignore[arg-type]

    step("doremi").check(untargeted, comparison=False)
    step("rho_loss").check(targeted, comparison=False)
    with pytest.raises(UsageError, match="name evaluation rows"):
        step("rho_loss").check(untargeted, comparison=False)


def test_the_step_distill_is_read_as_its_method_is() -> None:
    for by in ("uld", {"uld": None}, {"top_k_distillation": {"k": 4}}):
        step = Distill(by=by, epochs=2)  # type: ignore[arg-type]
        assert step.objective() == TaughtBy(by=by).method()  # type: ignore[arg-type]
        assert step.settings() == TrainSettings(epochs=2)
    assert Distill().by == TaughtBy().by
    with pytest.raises(UsageError, match="on_policy gives no objective to train with"):
        Distill(by="on_policy").objective()  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sequence_level trains no student"):
        Distill(by={"sequence_level": {"model": "folder"}}).objective()


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (["train"], ["student"]),
        (["train", "prefer"], ["student-sft", "student"]),
        (["train", "train"], ["student-01-train", "student"]),
        (["train", "distill", "prefer"], ["student-01-train", "student-sft", "student"]),
    ],
)
def test_no_training_takes_the_place_of_another_so_that_the_same_command_again_finds_both(
    tmp_path: Path, steps: list[str], names: list[str]
) -> None:
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps})
    context, made = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store"), build_steps(recipe)
    found = []
    for step in made:
        assert isinstance(step, Learning)
        given = Given(context, made, State(tmp_path, ""), tmp_path / step.place, "f")
        name = step.model_name(given)
        folder = context.run.path / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(step.place, encoding="utf-8")
        found.append((step, given, StepRecord(details={"model": f"models/{name}", "digest": folder_digest(folder)})))
    assert [Path(record.details["model"]).name for *_, record in found] == names
    assert [step.intact(given, record) for step, given, record in found] == [[]] * len(names)


def test_a_teacher_is_heard_by_the_method_and_trained_with_the_recipes_seed_on_top_of_the_steps(tmp_path: Path) -> None:
    distil = {"by": {"top_k_distillation": {"k": 4}}, "teacher": {"hf": str(tmp_path)}, "seed": 3}
    recipe = recipe_from(
        {"name": "a", "seed": 40, "pool": [{"builtin": "python_docs"}], "steps": [{"distill": distil}]}
    )
    context, (step,) = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store"), build_steps(recipe)
    assert isinstance(step, Distilling)
    taught = step.teaching(context, tmp_path)
    assert taught.objective is not None
    assert taught.objective == step.work.objective()
    assert taught.teacher == step.work.teacher
    assert step.seeded(context).seed == 43
