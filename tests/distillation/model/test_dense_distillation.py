"""Dense distillation: values by plain transformers, whatever the batch; 0 where the student is its teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from tests.distillation.model.support import ROWS, loaded, positions, table_of, taught, untrained, value
from tests.models.copy_skill import copy_rows


def by_hand(student: Any, teacher: Any, rows: Any, alpha: float, temperature: float) -> float:
    """One row at a time, full logits in float64."""
    import torch

    total = 0.0
    for row in student.encode(rows):
        with torch.no_grad():
            ids = torch.tensor([row.ids])
            s, t = (m.model(input_ids=ids).logits[0, row.start - 1 : -1].double().numpy() for m in (student, teacher))
        labels = np.array(row.ids[row.start :])

        def logs(x: Any, at: float) -> Any:
            x = x / at - (x / at).max(axis=1, keepdims=True)
            return x - np.log(np.exp(x).sum(axis=1, keepdims=True))

        apart = (np.exp(logs(t, temperature)) * (logs(t, temperature) - logs(s, temperature))).sum()
        surprise = -logs(s, 1.0)[np.arange(len(labels)), labels].sum()
        total += (1 - alpha) * surprise + alpha * temperature**2 * apart
    return total


@pytest.mark.parametrize(("alpha", "temperature"), [(1.0, 1.0), (0.5, 2.0), (0.3, 1.0)])
def test_the_loss_is_the_one_by_hand(alpha: float, temperature: float, tmp_path: Path) -> None:
    student, teacher = loaded(untrained(0)), untrained(1, "1m")
    objective = taught(DenseDistillation(alpha=alpha, temperature=temperature), student, teacher, tmp_path)
    expected = by_hand(student, loaded(teacher), ROWS, alpha, temperature)
    assert value(objective, student, range(len(ROWS))) == pytest.approx(expected, rel=1e-4)


def test_batches_order_and_padding_change_nothing(tmp_path: Path) -> None:
    rows = [*ROWS[:6], [*ROWS[6][:1], {**ROWS[6][1], "content": "amber basil " * 30}]]
    student = loaded(untrained(0))
    objective = taught(DenseDistillation(), student, untrained(1), tmp_path, rows)
    whole = value(objective, student, range(7), rows)
    assert sum(value(objective, student, [i], rows) for i in range(7)) == pytest.approx(whole, rel=1e-5)
    assert value(objective, student, [6, 2, 0, 5, 1, 4, 3], rows) == pytest.approx(whole, rel=1e-5)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(tmp_path: Path) -> None:
    import torch

    student = loaded(untrained(0))
    for kind in ("forward_kl", "reverse_kl", "jensen_shannon", "total_variation"):
        objective = taught(DenseDistillation(alpha=1, divergence=kind), student, untrained(0), tmp_path)
        at, table = positions(student, ROWS, [0, 1]), table_of(student)
        loss = objective.loss(at, table)
        assert float(loss.detach()) == pytest.approx(0, abs=1e-5)
        if kind != "total_variation":  # whose slope jumps there
            assert all(float(g.abs().max()) < 1e-5 for g in torch.autograd.grad(loss, (at.states, table)))


def test_padding_behind_the_vocabulary_is_cut(tmp_path: Path) -> None:
    import shutil

    padded = loaded(untrained(1))
    expected = taught(DenseDistillation(alpha=1), loaded(untrained(0)), untrained(1), tmp_path)
    padded.model.resize_token_embeddings(len(padded.tokenizer) + 24)
    shutil.copytree(untrained(1), tmp_path / "padded")
    padded.model.save_pretrained(tmp_path / "padded")
    student = loaded(untrained(0))
    found = taught(DenseDistillation(alpha=1), student, tmp_path / "padded", tmp_path)
    assert value(found, student, [0, 3]) == pytest.approx(value(expected, student, [0, 3]), rel=1e-5)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    with pytest.raises(UsageError, match="aligned_vocabulary or uld"):
        taught(DenseDistillation(), student, untrained(0, text=copy_rows(4, 1)), tmp_path)
    with pytest.raises(UsageError, match="has no teacher yet"):
        value(DenseDistillation(), student, [0])
    with pytest.raises(ValueError, match="float32 cannot hold"):
        DenseDistillation(beta=0.001)


def test_the_teacher_is_part_of_the_digest(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    digests = {taught(DenseDistillation(), student, untrained(seed), tmp_path).digest() for seed in (0, 1, 1)}
    assert len(digests) == 2
