"""Loss trajectories: those of the checkpoints in their order; a row without a loss has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.scoring import AnswerScores
from dataflywheel.models.training.checkpoints import checkpoint_files, load_checkpoint, trainable
from dataflywheel.signals.model.trajectory import Trajectory
from tests.models.copy_skill import conversation
from tests.models.planted_skills import mixed_pool, pool_model
from tests.signals.rows import batch_of

POOL = mixed_pool(100)


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> Trajectory:
    made = Trajectory(model=pool_model(POOL), points=3, epochs=1)
    return made.prepared(lambda: POOL, tmp_path_factory.mktemp("proxy"))


def measured(signal: Trajectory, rows: pa.Table) -> dict[str, Any]:
    return signal.measure(rows.combine_chunks().to_batches()[0])


def test_losses_are_those_of_each_checkpoint_in_order(signal: Trajectory) -> None:
    rows = POOL.slice(0, 10)
    found = np.array(measured(signal, rows)["losses"].to_pylist())
    assert found.shape == (10, 3)
    base = LanguageModel.load(signal.model)
    weights = trainable(base.model, None)
    for point, (file, _) in enumerate(checkpoint_files(Path(signal.checkpoints))):
        load_checkpoint(weights, file)
        for i, messages in enumerate(rows["messages"].to_pylist()):
            expected = base.answer_scores(base.encode([messages])).loss[0]
            assert found[i, point] == pytest.approx(expected, abs=1e-4)
    means = found.mean(axis=0)
    assert means[0] > means[1] > means[2]  # it learns, and the points are in the order of the steps
    again = np.array(measured(signal, POOL.slice(3, 1))["losses"].to_pylist())
    np.testing.assert_allclose(again[0], found[3], atol=1e-4)


def test_a_loss_that_is_not_finite_at_any_point_fails_the_row_alone(
    signal: Trajectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = LanguageModel.learned_scores
    calls: list[int] = []

    def broken(self: LanguageModel, rows: Any, **options: Any) -> AnswerScores:
        scores = honest(self, rows, **options)
        calls.append(1)
        if len(calls) == 2:
            scores.loss[1] = np.nan
        return scores

    monkeypatch.setattr(LanguageModel, "learned_scores", broken)
    rows = [*POOL["messages"].slice(0, 3).to_pylist(), conversation("no answer", "")]
    found = signal.measure(batch_of(rows))
    assert isinstance(found["losses"], pa.Array)
    assert found["losses"].is_null().to_pylist() == [False, True, False, True]
    assert found["status"].tolist() == [Status.OK, Status.FAILED, Status.OK, Status.EMPTY]


def test_the_training_is_made_once_and_is_part_of_the_key(signal: Trajectory, tmp_path: Path) -> None:
    start = Trajectory(model=signal.model, points=3, epochs=1)
    assert start.prepared(lambda: POOL, tmp_path).key() == signal.key()
    other = Trajectory(model=signal.model, points=2, epochs=1).prepared(lambda: POOL.slice(0, 30), tmp_path)
    assert other.key() != signal.key()
    with pytest.raises(UsageError, match="prepared"):
        start.measure(batch_of([conversation("a", "b")]))
