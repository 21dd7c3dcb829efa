"""What a trial leaves behind."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores
from dataflywheel.evolution.iteration import trial
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.evolution.iteration.trial import EvalSet, run_trial, trained, training_digest
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.steps.train import Train, Training
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.selection.dynamic.in_order import InOrder
from dataflywheel.selection.dynamic.mixture import Mixture
from dataflywheel.selection.dynamic.rho_loss import RhoLoss
from tests.models.copy_skill import copy_rows


def log_trainings(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders of the models that are trained from now on, by a trainer that does nothing."""
    trainings = []

    def train(folder: Path, *given: Any) -> None:
        trainings.append(folder)
        folder.mkdir(parents=True)
        (folder / "training.json").write_text('{"steps": 1}', encoding="utf-8")

    scores = RowScores(np.array(["t"], object), np.array(["s"], object), np.array([1.5]), np.array([1.0]))
    monkeypatch.setattr(trial, "_train", train)
    monkeypatch.setattr(trial, "examine", lambda model, exam: scores)
    monkeypatch.setattr(EvalSet, "digest", lambda self: "exam")
    (home / "student").mkdir()
    return trainings


@pytest.mark.parametrize("step_before", [True, False])
def test_a_trial_keeps_the_model_of_a_step_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_before: bool
) -> None:
    trainings = log_trainings(tmp_path, monkeypatch)
    student = tmp_path / "student"
    settings, exam = TrainSettings(), EvalSet(tmp_path, "bits_per_byte", ("s",), Evaluate())
    if step_before:
        trained(tmp_path, tmp_path, ["a", "b"], student, settings)
    for _ in range(2):
        assert run_trial(tmp_path, tmp_path, ["a", "b"], student, settings, exam).metric == 1.5
    assert len(trainings) == 1
    assert trainings[0].exists() == step_before


def test_another_trainer_trains_again_wherever_its_models_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = log_trainings(tmp_path, monkeypatch)
    settings, exam = TrainSettings(), EvalSet(tmp_path, "bits_per_byte", ("s",), Evaluate())
    identities = []
    for version in (1, 2, 2):
        monkeypatch.setattr(TrainSettings, "version", version)
        run_trial(tmp_path, tmp_path, ["a"], tmp_path / "student", settings, exam)
        identities.append(Training(5, "train", Train()).identity())
    assert len(set(trainings)) == len(trainings) == 2
    assert identities[0] != identities[1] == identities[2]  # the run's own model, and what follows from it


def test_equal_trainings_at_once_are_one_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = log_trainings(tmp_path, monkeypatch)
    quick = trial._train

    def slow(folder: Path, *given: Any) -> None:
        time.sleep(0.2)
        quick(folder, *given)

    monkeypatch.setattr(trial, "_train", slow)
    settings, student = TrainSettings(), tmp_path / "student"

    def step(number: int) -> Path:
        return trained(tmp_path, tmp_path, ["a"], student, settings)[0]

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(step, range(3)))) == 1
    assert len(trainings) == 1
    exam = EvalSet(tmp_path, "bits_per_byte", ("s",), Evaluate())

    def of_a_trial(number: int) -> float:
        return run_trial(tmp_path, tmp_path, ["b"], student, settings, exam).metric

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(of_a_trial, range(3))) == [1.5] * 3
    assert len(trainings) == 2


def test_what_takes_part_in_a_training_is_part_of_its_identity(tmp_path: Path) -> None:
    for name in ("student", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name, encoding="utf-8")
    student = tmp_path / "student"

    def digest(ids: str, teaching: TrainingSetup) -> str:
        return training_digest(list(ids), student, TrainSettings(), teaching)

    assert digest("ab", TrainingSetup()) == training_digest(["b", "a"], student, TrainSettings())
    rho = [TrainingSetup(RhoLoss(ratio=r), reference=tmp_path / n) for r in (0.1, 0.2) for n in ("student", "other")]
    assert len({digest("ab", teaching) for teaching in [TrainingSetup(), TrainingSetup(InOrder()), *rho]}) == 6
    assert digest("ab", rho[0]) == digest("ba", rho[0])
    assert digest("ab", TrainingSetup(InOrder())) != digest("ba", TrainingSetup(InOrder()))


def test_a_model_is_trained_as_it_is_taught(tmp_path: Path) -> None:
    rows = [make_row(row, source="copied") for row in copy_rows(12, seed=3)]
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table(rows))
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    start = init_tiny(pool_tokenizer([row["messages"] for row in rows], cache_dir=cache), "0.5m", cache_dir=cache)
    settings, ids = TrainSettings(max_steps=2, batch_size=4), [row["id"] for row in rows]

    def facts(ids: list[str], teaching: TrainingSetup) -> dict[str, Any]:
        return trained(tmp_path, tmp_path / "rows", ids, start, settings, teaching=teaching)[1]

    plain, rho = facts(ids, TrainingSetup()), facts(ids, TrainingSetup(RhoLoss(ratio=0.5), reference=start))
    assert "sampler" not in plain
    assert rho["sampler"] == {"without_reference": 0}
    assert rho["candidates_tokens"] > rho["tokens"] > 0
    first, last = facts(ids, TrainingSetup(InOrder())), facts(ids[::-1], TrainingSetup(InOrder()))
    assert first["losses"] != last["losses"]


def test_sources_tell_trainings_apart_where_rows_are_drawn_by_them(tmp_path: Path) -> None:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    made = copy_rows(12, seed=3)
    start = init_tiny(pool_tokenizer(made, cache_dir=cache), "0.5m", cache_dir=cache)
    settings = TrainSettings(max_steps=2, batch_size=4)
    found: dict[str, list[Path]] = {"mixture": [], "plain": []}
    for share in (3, 9):
        rows = [make_row(row, source="ab"[i < share]) for i, row in enumerate(made)]
        with PartWriter(tmp_path / str(share)) as writer:
            writer.write(table(rows))
        ids = [row["id"] for row in rows]
        mixture = TrainingSetup(Mixture(weights={"a": 1, "b": 0}))
        for name, teaching in (("mixture", mixture), ("plain", TrainingSetup())):
            found[name].append(trained(tmp_path, tmp_path / str(share), ids, start, settings, teaching=teaching)[0])
    assert found["mixture"][0] != found["mixture"][1]
    assert found["plain"][0] == found["plain"][1]
