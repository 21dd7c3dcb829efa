"""Top-k distillation: dense as k grows, blind to the order of rows, and only on the tokens that the teacher read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.top_k_distillation import TopKDistillation
from tests.distillation.model.support import IDS, ROWS, loaded, positions, spec, table_of, taught, untrained, value

pytestmark = pytest.mark.filterwarnings("ignore:the teacher's")
ALL = range(len(ROWS))


def test_the_gap_to_dense_shrinks_with_k(tmp_path: Path) -> None:
    student, teacher = loaded(untrained(0)), untrained(1)
    dense = value(taught(DenseDistillation(alpha=1), student, teacher, tmp_path), student, ALL)
    found = [
        value(taught(TopKDistillation(alpha=1, k=k), student, teacher, tmp_path), student, ALL) for k in (1, 16, 128)
    ]
    everything = value(taught(TopKDistillation(alpha=1, k=None), student, teacher, tmp_path), student, ALL)
    assert found == sorted(found)
    assert found[-1] < dense
    assert everything == pytest.approx(dense, rel=2e-3)
    beyond = value(taught(TopKDistillation(alpha=1, k=10**6), student, teacher, tmp_path), student, ALL)
    assert beyond == pytest.approx(everything, rel=1e-3)


def test_zero_where_the_student_is_its_teacher(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    for tail in ("bucket", "renormalise"):
        for temperature in (1.0, 2.0):
            made = TopKDistillation(alpha=1, k=8, tail=tail, temperature=temperature)
            assert value(taught(made, student, untrained(0), tmp_path), student, ALL) == pytest.approx(0, abs=1e-3)


def test_rows_are_found_by_id_whatever_their_order(tmp_path: Path) -> None:
    """Caches that are aligned by step and batch break when rows are shuffled; this one does not."""
    student, made = loaded(untrained(0)), TopKDistillation(k=8)
    here = value(taught(made, student, untrained(1), tmp_path), student, ALL)
    order = list(ALL)[::-1]
    turned: Any = taught(made, student, untrained(1), tmp_path, [ROWS[i] for i in order], [IDS[i] for i in order])
    assert value(turned, student, ALL, [ROWS[i] for i in order]) == pytest.approx(here, rel=1e-6)
    assert sum(value(turned, student, [i], [ROWS[j] for j in order]) for i in ALL) == pytest.approx(here, rel=1e-5)


def test_other_tokens_than_the_teacher_read_are_refused(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    objective = taught(TopKDistillation(k=4), student, untrained(1), tmp_path)
    swapped = positions(student, [ROWS[1], ROWS[0], *ROWS[2:]], [0, 1])
    with pytest.raises(FlywheelError, match="read other tokens"):
        objective.loss(swapped, table_of(student))
    again = TopKDistillation(k=4).taught(IDS, ROWS, student, spec(untrained(1)), 1024, tmp_path)
    assert again.digest() == objective.digest()


def test_a_bucket_with_cross_entropy_beside_it_is_not_advised_where_it_is_there(tmp_path: Path) -> None:
    student, teacher = loaded(untrained(0)), untrained(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        taught(TopKDistillation(k=4), student, teacher, tmp_path)
    with pytest.warns(UserWarning, match="the tail as a bucket with cross-entropy"):
        taught(TopKDistillation(k=4, alpha=1), student, teacher, tmp_path)
