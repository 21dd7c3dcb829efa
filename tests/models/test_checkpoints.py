"""The short training with checkpoints: what is kept, when, and that it is Adam's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.checkpoints import (
    Adapters,
    Schedule,
    checkpoint_files,
    keep_checkpoints,
    load_checkpoint,
    trainable,
)
from tests.models.copy_skill import conversation, copy_model, copy_rows
from tests.models.test_row_gradients import alone

ROWS = copy_rows(40, seed=11)
SCHEDULE = Schedule(epochs=2, checkpoints=4, learning_rate=1e-3, batch_size=8, max_length=64)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return ModelSpec(hf=str(copy_model()))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))


def test_checkpoints_lie_at_equal_distances_with_their_learning_rates(spec: ModelSpec, tmp_path: Path) -> None:
    import orjson

    folder = keep_checkpoints(ROWS, spec, SCHEDULE, tmp_path)
    files = checkpoint_files(folder)
    facts = orjson.loads((folder / "checkpoints.json").read_bytes())
    assert [fact["step"] for fact in facts] == [2, 5, 8, 10]
    assert [file.name for file, _ in files] == sorted(file.name for file, _ in files)
    # One step of rise, then a line from the top down to a ninth of it at the last of ten steps.
    line = np.array([1, *(np.arange(9, 0, -1) / 9)]) * 1e-3
    expected = [line[:2].mean(), line[2:5].mean(), line[5:8].mean(), line[8:].mean()]
    np.testing.assert_allclose([rate for _, rate in files], expected)
    assert keep_checkpoints(ROWS, spec, SCHEDULE, tmp_path) == folder
    assert keep_checkpoints(ROWS[1:], spec, SCHEDULE, tmp_path) != folder


def test_the_same_training_again_gives_the_same_bytes(
    spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = SCHEDULE.model_copy(update={"adapters": Adapters(rank=2)})
    found = []
    for name in ("one", "two"):
        monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / name))
        found.append(checkpoint_files(keep_checkpoints(ROWS, spec, schedule, tmp_path))[-1][0].read_bytes())
    assert found[0] == found[1]


def test_moments_after_one_step_are_those_of_the_rows_gradient(spec: ModelSpec, tmp_path: Path) -> None:
    import torch

    schedule = Schedule(
        epochs=1, checkpoints=1, learning_rate=1e-3, batch_size=4, max_length=64, adapters=Adapters(rank=2, dropout=0)
    )
    ((file, _),) = checkpoint_files(keep_checkpoints(ROWS[:1], spec, schedule, tmp_path))
    base = LanguageModel.load(spec)
    weights = trainable(base.model, schedule.adapters, schedule.seed)
    gradient = alone(base, weights, base.encode(ROWS[:1])[0])
    size = torch.sqrt(sum((g**2).sum() for g in gradient.values()))
    clip = min(1.0, 1.0 / float(size))
    moments = load_checkpoint(weights, file)
    assert set(moments) == set(weights)
    for name, g in gradient.items():
        torch.testing.assert_close(moments[name][0], 0.1 * clip * g, rtol=1e-3, atol=1e-7)
        torch.testing.assert_close(moments[name][1], 0.001 * (clip * g) ** 2, rtol=1e-3, atol=1e-10)


def test_adapters_that_were_not_trained_leave_the_model_as_it_was(spec: ModelSpec) -> None:
    base = LanguageModel.load(spec)
    rows = base.encode(ROWS[:3])
    before = base.answer_scores(rows).loss
    trainable(base.model, Adapters(rank=2))
    base.model.eval()
    np.testing.assert_allclose(base.answer_scores(rows).loss, before, rtol=1e-5)


def test_rows_without_answers_are_refused(spec: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of 1 rows has an answer"):
        keep_checkpoints([conversation("a", "")], spec, SCHEDULE, tmp_path)
