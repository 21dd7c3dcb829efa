"""The step `distill`: the student learns the rows with a teacher heard at every answer token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflywheel.contracts import Objective, Status, UsageError
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.distillation.model.on_policy import OnPolicy
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.evolution.iteration.trial import Teaching
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.encoded import EncodedRow, nothing
from dataflywheel.models.training.learning_rate import Job
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.machine import check_local
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.on_policy import learn_on_policy
from dataflywheel.recipe.steps.train import Train, Training
from dataflywheel.rows.schema import Row

if TYPE_CHECKING:
    from dataflywheel.models.templates.chat import Chat, ChatFormat


class Distill(TaughtBy, Train):
    """The step `distill`: training with a teacher heard at every answer token."""

    teacher: ModelSpec | None = None
    """A local model; the recipe's teacher where none is named. `{builtin: tiny, size: 5m}` is trained on the pool."""

    def objective(self) -> Objective:
        """Raises UsageError: no such method of distillation, or a parameter that it does not take."""
        made = self.method()
        if not isinstance(made, TaughtObjective):
            raise UsageError(
                f"distill: {made.name} gives no objective to train with; there is dense_distillation, "
                "top_k_distillation, aligned_vocabulary and uld; on_policy trains in its own way"
            )
        return made


@dataclass(frozen=True)
class Distilling(Training, keyword="distill"):
    """Training by a method of distillation; `on_policy` learns from what the student writes itself."""

    Work = Distill

    work: Distill

    def on_policy(self) -> OnPolicy | None:
        """The method, where the student writes what it learns from."""
        method = self.work.method()
        return method if isinstance(method, OnPolicy) else None

    @property
    def counts_alike(self) -> bool:
        return self.on_policy() is not None

    def job(self) -> Job:
        return "answers" if self.on_policy() is None else "on_policy"

    def teacher(self, recipe: Recipe) -> ModelSpec:
        """The model that is heard.

        Raises:
            UsageError: none is named, or it is behind an endpoint, where its distributions cannot be seen whole.
        """
        spec = self.work.teacher or recipe.models.teacher
        if spec is None or spec.endpoint:
            raise UsageError(
                "distill needs a local teacher: name one, such as `teacher: {builtin: tiny, size: 5m}` in the step, or "
                "a folder (`hf: PATH`); of a model behind an endpoint learn by its answers (`enhance: {by: "
                "sequence_level}`)"
            )
        return spec

    def check(self, recipe: Recipe, comparison: bool) -> None:
        check_local(self.teacher(recipe), "teacher")
        if self.on_policy() is None:
            self.work.objective()
        elif self.work.sampler is not None:
            raise UsageError(
                "distill: on_policy learns from what the student writes; a `sampler` of rows has no say there"
            )
        elif comparison:
            raise UsageError(
                "compare trains its arms on rows, and on_policy learns from what the student writes; leave one of them "
                "out"
            )
        super().check(recipe, comparison)

    def encoded(self, chat: ChatFormat, chats: Sequence[Chat], rows: Sequence[Row], longest: int) -> list[EncodedRow]:
        on_policy = self.on_policy()
        if on_policy is None:
            return super().encoded(chat, chats, rows, longest)
        return [
            nothing(Status.FAILED, one, place)
            if isinstance(one, str)
            else EncodedRow(one.prompt, 0, 0, False, Status.OK, True, row=place, cut="its beginning" if one.cut else "")
            for place, one in enumerate(on_policy.lessons(chat, chats, longest))
        ]

    def learn(
        self, context: Context, rows: Path, ids: Sequence[str], student: Path, settings: TrainSettings
    ) -> tuple[Path, dict[str, Any]]:
        on_policy = self.on_policy()
        if on_policy is None:
            return super().learn(context, rows, ids, student, settings)
        teacher, report = context.usable(self.teacher(context.recipe), "teacher"), partial(self.advanced, context)
        return learn_on_policy(context.home, teacher, on_policy, rows, ids, student, settings, report)

    def teaching(self, context: Context, student: Path) -> Teaching:
        plain = super().teaching(context, student)
        spec = context.usable(self.teacher(context.recipe), "teacher")
        return replace(plain, objective=self.work.objective(), teacher=spec)
