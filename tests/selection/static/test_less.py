"""LESS: brute force over vectors, and one of four planted skills found in a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Columns
from dataflywheel.selection.static import less
from dataflywheel.selection.static.less import LESS
from dataflywheel.signals.model.gradient_projection import GradientProjection
from tests.models.planted_skills import SKILLS, mixed_pool, pool_model, skill_rows
from tests.selection.columns import generator, make_columns


def test_influence_by_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(less, "BLOCK", 7)
    columns = make_columns(90)
    assert columns.target is not None
    found = LESS().rank(columns, 90, generator())
    pool, aims = columns["gradient_projection.vector"], columns.target["gradient_projection.vector"]
    slices = columns.target["row.slice"]
    score = [max(np.mean([v @ a for a in aims[slices == name]]) for name in set(slices)) for v in pool]
    expected = sorted(range(90), key=lambda i: (-score[i], columns.ids[i]))
    assert found.order.tolist() == expected
    np.testing.assert_allclose(found.gain, np.array(score)[expected], atol=1e-6)
    assert sum(found.notes["nearest_slice"].values()) == 90


def test_length_correlation_is_reported() -> None:
    columns = make_columns(50)
    first = LESS().rank(columns, 50, generator())
    columns.values["text.tokens_answer"][first.order] = np.arange(50)[::-1]
    assert LESS().rank(columns, 50, generator()).notes["length_correlation"] == pytest.approx(1.0)
    columns.values["text.tokens_answer"][:] = 7
    assert LESS().rank(columns, 50, generator()).notes["length_correlation"] is None


def measured(signal: GradientProjection, rows: pa.Table) -> Columns:
    found = signal.measure(rows.combine_chunks().to_batches()[0])
    values: dict[str, Any] = {
        "gradient_projection.vector": np.array(found["vector"].to_pylist(), dtype=np.float16),
        "gradient_projection.status": found["status"],
        "text.tokens_answer": np.array([len(m[1]["content"]) // 4 for m in rows["messages"].to_pylist()]),
    }
    return Columns(np.array(rows["id"].to_pylist()), values)


@pytest.mark.slow
def test_a_planted_skill_is_found(tmp_path: Path) -> None:
    pool = mixed_pool(100)
    signal = GradientProjection(model=pool_model(pool), epochs=2).prepared(lambda: pool, tmp_path)
    columns, skills = measured(signal, pool), np.array(pool["source"].to_pylist())
    for skill in SKILLS:
        wanted = skill_rows(skill, 15, seed=7)
        plain = signal.model_copy(update=LESS().target_parameters()["gradient_projection"])
        columns.target = measured(plain, wanted)
        order = LESS().rank(columns, 20, generator()).order[:20]
        assert (skills[order] == skill).mean() >= 0.95
