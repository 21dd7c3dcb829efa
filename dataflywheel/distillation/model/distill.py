"""Training a student on rows with a teacher behind it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel import catalog
from dataflywheel.contracts import Method, Named, UsageError, build
from dataflywheel.distillation.model.on_policy import OnPolicy
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.models.chat import chats_of
from dataflywheel.models.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.train_settings import Progress, TrainSettings
from dataflywheel.models.training import TrainResult, train_sft


class TaughtBy(BaseModel):
    """By which method a student learns from a teacher."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Named = Field(default={"dense_distillation": {}})
    """`dense_distillation`, `top_k_distillation`, `aligned_vocabulary`, `uld`, or `on_policy`, with its parameters."""

    def method(self) -> TaughtObjective | OnPolicy:
        """Raises UsageError: no such method of distillation, or a parameter that it does not take."""
        ((name, parameters),) = self.by.items()
        made: Method = build(catalog.get(name, rooms=("distillation",)), parameters)
        if not isinstance(made, TaughtObjective | OnPolicy):
            raise UsageError(f"distill: {name} trains no student from a teacher's distributions")
        return made


class DistillSettings(TaughtBy):
    """Parameters of `distill`, which takes `on_policy` too: the method, and how the student is trained."""

    train: TrainSettings = TrainSettings()


def distill(
    rows: pa.Table,
    student: Path | ModelSpec | LanguageModel,
    teacher: ModelSpec,
    output: Path,
    settings: DistillSettings | None = None,
    *,
    home: Path = Path(".flywheel"),
    progress: Progress | None = None,
) -> TrainResult:
    """Train `student` on the answers of `rows`, with `teacher` heard at every answer token, and save it as `output`.

    What a teacher is asked once for lies in the store `home`. Resumable as `train_sft` is.

    Raises:
        UsageError: the teacher is no local model, or does not fit the student's tokenizer or context.
    """
    settings = settings or DistillSettings()
    method = settings.method()
    if isinstance(method, OnPolicy):
        return method.train(rows, student, teacher, output, settings.train, progress=progress)
    base = student if isinstance(student, LanguageModel) else LanguageModel.load(_spec(student))
    ids, train = rows["id"].to_pylist(), settings.train
    objective = method.taught(ids, chats_of(rows), base, teacher, train.max_length, home, train.turns)
    return train_sft(rows, base, output, settings.train, progress=progress, objective=objective)


def _spec(student: Path | ModelSpec) -> ModelSpec:
    return student if isinstance(student, ModelSpec) else ModelSpec(hf=str(student))
