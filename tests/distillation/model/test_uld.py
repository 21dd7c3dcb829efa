"""Universal logit distillation: hand values, and what sorting sees and does not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.uld import Uld, sorted_distance
from tests.distillation.model.support import ROWS, loaded, taught, untrained, value
from tests.models.copy_skill import copy_rows


def distance(a: Any, b: Any) -> list[float]:
    import torch

    return list(sorted_distance(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)).tolist())


def test_values_by_hand() -> None:
    assert distance([[0.1, 0.7, 0.2]], [[0.5, 0.5]]) == pytest.approx([0.2 + 0.3 + 0.1])
    assert distance([[0.5, 0.5]], [[0.2, 0.7, 0.1]]) == pytest.approx([0.2 + 0.3 + 0.1])


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), st.randoms())
def test_a_permuted_vocabulary_is_the_same(weights: list[float], draw: Any) -> None:
    p = np.array(weights) / sum(weights)
    turned = list(p)
    draw.shuffle(turned)
    assert distance([[*p]], [turned]) == pytest.approx([0], abs=1e-12)
    assert distance([[*p]], [[*turned, 0.0, 0.0]]) == pytest.approx([0], abs=1e-12)


def by_hand(student: Any, teacher: Any, rows: Any) -> float:
    """As published: the j-th positions of both, the shorter answer's number of them, the student's end left out."""
    import torch

    total = 0.0
    for row in rows:
        sides = []
        for model in (student, teacher):
            one = model.encode([row])[0]
            with torch.no_grad():
                logits = model.model(input_ids=torch.tensor([one.ids])).logits[0, one.start - 1 : -1]
            sides.append(np.sort(logits.double().softmax(dim=1).numpy(), axis=1)[:, ::-1])
        n = min(len(sides[0]) - 1, len(sides[1]))
        size = max(side.shape[1] for side in sides)
        full = [np.pad(side[:n], ((0, 0), (0, size - side.shape[1]))) for side in sides]
        total += np.abs(full[0] - full[1]).sum()
    return total


def test_by_place_is_the_published_sum(tmp_path: Path) -> None:
    other = untrained(1, text=copy_rows(4, 1))
    student = loaded(untrained(0))
    surprise = value(taught(DenseDistillation(alpha=0), student, untrained(0), tmp_path), student, range(8))
    found = value(taught(Uld(weight=1.5), student, other, tmp_path), student, range(8))
    assert found - surprise == pytest.approx(1.5 * by_hand(student, loaded(other), ROWS[:8]), rel=1e-3)


def test_aligned_hears_the_teacher_only_where_prefixes_meet(tmp_path: Path) -> None:
    other = untrained(1, text=copy_rows(4, 1))
    student = loaded(untrained(0))
    by_place: Any = taught(Uld(), student, other, tmp_path)
    aligned: Any = taught(Uld(positions="aligned"), student, other, tmp_path)
    assert by_place.bound.place[0][-1] == -1, "the student's end of turn"
    assert aligned.bound.place[0][0] == 0
    differs = [not np.array_equal(a, b) for a, b in zip(aligned.bound.place, by_place.bound.place, strict=True)]
    assert any(differs)
