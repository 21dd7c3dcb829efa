"""On-policy distillation: prompts only, nearer to the teacher on what the student itself writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.on_policy import OnPolicy
from dataflywheel.models.training import TrainSettings
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.distillation.model.support import spec, untrained
from tests.distillation.model.test_distill import ROWS, divergence_from_teacher, student
from tests.models.copy_skill import copy_model, copy_rows

PROMPTS = table([make_row(row[:1]) for row in copy_rows(64, seed=9)])
METHOD = OnPolicy(max_new_tokens=8)


@pytest.mark.slow
def test_a_student_comes_nearer_on_prompts_alone(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=12, batch_size=16, learning_rate=3e-3, warmup=0.0, dtype="float32")
    made = METHOD.train(PROMPTS, student(tmp_path), spec(copy_model()), tmp_path / "made", settings)
    assert made.steps == len(made.losses) == 12
    assert made.losses[-1] < made.losses[0]
    assert divergence_from_teacher(made.folder) < divergence_from_teacher(student(tmp_path))
    few = settings.model_copy(update={"max_steps": 2, "scheduler": "constant_with_warmup"})
    runs = [METHOD.train(rows, student(tmp_path), spec(copy_model()), tmp_path / "b", few) for rows in (PROMPTS, ROWS)]
    assert runs[0].losses == runs[1].losses, "answers are not read"


def test_a_student_that_is_its_teacher_stays(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=2, batch_size=8, dtype="float32")
    made = METHOD.train(PROMPTS, copy_model(), spec(copy_model()), tmp_path / "made", settings)
    assert made.losses == pytest.approx([0, 0], abs=1e-4)


class KilledError(Exception):
    pass


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=6, batch_size=8, save_steps=2, learning_rate=1e-3, dtype="float32")

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KilledError

    given = PROMPTS, student(tmp_path), spec(copy_model())
    whole = METHOD.train(*given, tmp_path / "whole", settings)
    with pytest.raises(KilledError):
        METHOD.train(*given, tmp_path / "cut", settings, progress=kill)
    cut = METHOD.train(*given, tmp_path / "cut", settings)
    assert cut.losses == whole.losses
    assert (cut.folder / "model.safetensors").read_bytes() == (whole.folder / "model.safetensors").read_bytes()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    alone = table([make_row(row[1:]) for row in copy_rows(3, seed=9)])
    with pytest.raises(UsageError, match="none of 3 rows has a prompt"):
        METHOD.train(alone, copy_model(), spec(copy_model()), tmp_path / "a")
    with pytest.raises(UsageError, match="aligned_vocabulary or uld"):
        METHOD.train(PROMPTS, untrained(0, text=copy_rows(4, 1)), spec(copy_model()), tmp_path / "a")
