"""Projected gradients: against whole ones by autograd, one row at a time; pure per row; keys and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.training.checkpoints import checkpoint_files, load_checkpoint, trainable
from dataflywheel.rows.schema import message
from dataflywheel.signals.model.gradient_projection import GradientProjection
from tests.models.copy_skill import conversation
from tests.models.planted_skills import SKILLS, mixed_pool, pool_model, skill_rows
from tests.models.test_row_gradients import alone
from tests.signals.rows import batch_of

POOL = mixed_pool(100)


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> GradientProjection:
    made = GradientProjection(model=pool_model(POOL), epochs=2)
    return made.prepared(lambda: POOL, tmp_path_factory.mktemp("warm-up"))


def vectors_of(signal: GradientProjection, rows: pa.Table) -> Any:
    found = signal.measure(rows.combine_chunks().to_batches()[0])
    return np.array(found["vector"].to_pylist(), dtype=np.float32)


def whole(signal: GradientProjection, rows: pa.Table, adam: bool) -> Any:
    """Directions without a projection, by autograd and the formula in float64; the checkpoints side by side."""
    base = LanguageModel.load(signal.model)
    encoded = base.encode(rows["messages"].to_pylist())
    files = checkpoint_files(Path(signal.checkpoints))
    weights = trainable(base.model, signal.adapters)
    base.model.eval()
    parts = []
    for file, rate in files:
        moments = load_checkpoint(weights, file)
        found = []
        for row in encoded:
            steps = []
            for name, gradient in alone(base, weights, row).items():
                g = gradient.double().numpy()
                m, v = (moment.double().numpy() for moment in moments[name])
                step = (0.9 * m + 0.1 * g) / np.sqrt(0.999 * v + 0.001 * g**2 + 1e-8) if adam else g
                steps.append(step.ravel())
            found.append(np.concatenate(steps))
        part = np.array(found)
        parts.append(part / np.linalg.norm(part, axis=1, keepdims=True) * np.sqrt(rate / sum(r for _, r in files)))
    return np.concatenate(parts, axis=1)


@pytest.mark.slow
def test_products_rank_as_those_of_whole_gradients(signal: GradientProjection) -> None:
    from scipy.stats import spearmanr

    pool, target = POOL.slice(0, 60), pa.concat_tables([skill_rows(skill, 3, 7) for skill in SKILLS])
    plain = signal.model_copy(update={"direction": "gradient"})
    found = vectors_of(signal, pool) @ vectors_of(plain, target).T
    exact = whole(signal, pool, adam=True) @ whole(signal, target, adam=False).T
    assert signal.dimension == 2048
    assert spearmanr(found.ravel(), exact.ravel()).statistic >= 0.95
    assert np.abs(found - exact).max() < 5 * np.sqrt(2 / signal.dimension)


def test_neighbours_and_padding_change_nothing(signal: GradientProjection) -> None:
    rows = POOL.slice(0, 24)
    together = vectors_of(signal, rows)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=2e-3)
    apart = np.concatenate([vectors_of(signal, rows.slice(i, 1)) for i in (0, 11, 23)])
    np.testing.assert_allclose(together[[0, 11, 23]], apart, atol=1e-4)
    turned = vectors_of(signal, rows.take(pa.array(np.arange(24)[::-1])))
    np.testing.assert_allclose(together, turned[::-1], atol=1e-4)


def test_rows_that_teach_nothing_have_no_vector(signal: GradientProjection) -> None:
    rows = [conversation("repeat", "amber"), conversation("no answer", ""), [message("user", "alone")]]
    found = signal.measure(batch_of(rows))
    assert isinstance(found["vector"], pa.Array)
    assert found["vector"].is_null().to_pylist() == [False, True, True]
    assert found["vector"].type == pa.list_(pa.float16())
    assert len(found["vector"][0]) == 2 * 2048
    assert found["status"].tolist() == [Status.OK, Status.EMPTY, Status.EMPTY]


def test_the_warm_up_is_made_once_and_depends_on_the_pool_not_its_order(
    signal: GradientProjection, tmp_path: Path
) -> None:
    start = GradientProjection(model=signal.model, epochs=2)
    assert start.prepared(lambda: POOL, tmp_path).checkpoints == signal.checkpoints
    assert start.prepared(lambda: POOL.take(pa.array(np.arange(400)[::-1])), tmp_path).checkpoints == signal.checkpoints
    other = start.prepared(lambda: POOL.slice(0, 200), tmp_path)
    assert other.checkpoints != signal.checkpoints
    assert other.key() != signal.key()


def test_place_is_not_part_of_the_key_and_what_changes_values_is(signal: GradientProjection, tmp_path: Path) -> None:
    shutil.copytree(signal.checkpoints, tmp_path / "moved")
    moved = signal.model_copy(update={"checkpoints": str(tmp_path / "moved")})
    assert moved.key() == signal.key()
    changes: list[dict[str, Any]] = [{"direction": "gradient"}, {"dimension": 1024}, {"seed": 1}, {"max_length": 64}]
    assert len({signal.model_copy(update=change).key() for change in [*changes, {}]}) == 5


def test_without_checkpoints_it_refuses(signal: GradientProjection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="prepared"):
        GradientProjection(model=signal.model).measure(batch_of([conversation("a", "b")]))
    astray = GradientProjection(model=signal.model, checkpoints=str(tmp_path))
    with pytest.raises(UsageError, match="holds no checkpoints"):
        astray.measure(batch_of([conversation("a", "b")]))
