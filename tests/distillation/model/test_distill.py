"""The step: every method trains a student that can be loaded, resumes, and keeps what was paid for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import TrainResult, train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.distillation.model.support import loaded, spec
from tests.models.copy_skill import copy_model, copy_rows

ROWS = table([make_row(row) for row in copy_rows(64, seed=9)])
TRAIN = TrainSettings(max_steps=8, batch_size=16, save_steps=3, warmup=0.0)
METHODS: list[Any] = [
    {"top_k_distillation": {"k": 8}},
    *(
        pytest.param(by, marks=pytest.mark.slow)
        for by in ("dense_distillation", {"aligned_vocabulary": None}, {"uld": {"weight": 0.2}})
    ),
]


def student(cache: Path) -> Path:
    return init_tiny(copy_model(), "0.5m", seed=3, cache_dir=cache)


def divergence_from_teacher(folder: Path) -> float:
    """Mean forward KL on the rows' answers, by plain transformers."""
    import torch

    models = [loaded(copy_model()), loaded(folder)]
    rows = models[0].encode(ROWS["messages"].to_pylist())
    total = count = 0
    with torch.no_grad():
        for row in rows[:16]:
            ids = torch.tensor([row.ids])
            t, s = (m.model(input_ids=ids).logits[0, row.start - 1 : -1].log_softmax(1) for m in models)
            total += float((t.exp() * (t - s)).sum())
            count += row.answer_tokens
    return total / count


def distilled(by: Any, output: Path, **more: Any) -> TrainResult:
    """A student trained by a method of `TaughtBy` as a step trains one; the teacher's answers lie beside `output`."""
    start = loaded(student(output.parent))
    method = TaughtBy(by=by).method()
    assert isinstance(method, TaughtObjective)
    chats, home = chats_of(ROWS), output.parent
    objective = method.taught(ROWS["id"].to_pylist(), chats, start, spec(copy_model()), TRAIN.max_length, home)
    return train_sft(ROWS, start, output, TRAIN, objective=objective, **more)


class KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("by", METHODS, ids=str)
def test_a_student_comes_nearer_and_a_killed_one_too(by: Any, tmp_path: Path) -> None:
    made = distilled(by, tmp_path / "whole")
    assert made.steps == 8
    assert made.answer_tokens > 0
    assert divergence_from_teacher(made.folder) < divergence_from_teacher(student(tmp_path))

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        distilled(by, tmp_path / "cut", progress=kill)
    cut = distilled(by, tmp_path / "cut")
    whole = (made.folder / "model.safetensors").read_bytes()
    assert (cut.folder / "model.safetensors").read_bytes() == whole


def test_the_teacher_is_asked_once_however_often_students_are_trained(tmp_path: Path) -> None:
    distilled({"top_k_distillation": {"k": 4}}, tmp_path / "a")
    [part] = (tmp_path / "teachers").rglob("part-*.arrow")
    before = part.stat().st_mtime_ns
    again = distilled({"top_k_distillation": {"k": 4}}, tmp_path / "b")
    assert [path.stat().st_mtime_ns for path in (tmp_path / "teachers").rglob("part-*.arrow")] == [before]
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (again.folder / "model.safetensors").read_bytes()


def test_wrong_methods_are_refused_with_the_right_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'dense_distillation'"):
        TaughtBy(by="dense_distilation").method()
    with pytest.raises(UsageError, match="unknown parameter 'kk'"):
        TaughtBy(by={"top_k_distillation": {"kk": 3}}).method()
    with pytest.raises(UsageError, match="sequence_level"):
        TaughtBy(by={"sequence_level": {"model": "folder"}}).method()
    with pytest.raises(ValueError, match="one method"):
        TaughtBy(by={"uld": {}, "dense_distillation": {}})
    names = catalog.names(rooms=("distillation",))
    assert {"dense_distillation", "top_k_distillation", "aligned_vocabulary", "uld", "on_policy"} <= set(names)
    assert {"sequence_level", "dpo", "self_distillation", "on_policy"} <= set(names)
    assert "label_classifier" not in names, "what no recipe and no verb can run is not listed"
