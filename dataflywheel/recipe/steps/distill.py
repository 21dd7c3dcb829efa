"""The step `distill`: the student learns the rows with a teacher heard at every answer token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost, PoolStatistics, UsageError
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.distillation.model.on_policy import OnPolicy
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.distillation.model.top_k_distillation import TopKDistillation
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import Helper
from dataflywheel.recipe.machine import check_local
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learned_once import Job, learned_once
from dataflywheel.recipe.steps.same_tokens import check_tokens
from dataflywheel.recipe.steps.train import Train, Training


class Distill(TaughtBy, Train):
    """The step `distill`: training with a teacher heard at every answer token."""

    teacher: ModelSpec | None = None
    """A local model; the recipe's teacher where none is named. `{builtin: tiny, size: 5m}` is trained on the pool."""

    def objective(self) -> TaughtObjective:
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

    def by_itself(self) -> Trainer | None:
        """The method, where it is a training of its own and no objective of one."""
        method = self.work.method()
        return method if isinstance(method, Trainer) else None

    @property
    def counts_alike(self) -> bool:
        return self.by_itself() is not None

    def trained_by(self) -> Trainer:
        return self.by_itself() or super().trained_by()

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
        if isinstance(self.work.method(), (DenseDistillation, TopKDistillation, OnPolicy)):
            check_tokens(recipe.models.student, self.teacher(recipe), self.title)
        by_itself = self.by_itself()
        if by_itself is None:
            self.work.objective()
        elif self.work.sampler is not None:
            raise UsageError(
                f"distill: {by_itself.name} learns from what the student writes; a `sampler` of rows has no say there"
            )
        elif comparison:
            raise UsageError(
                f"compare trains its arms on rows, and {by_itself.name} learns from what the student writes; leave one "
                "of them out"
            )
        super().check(recipe, comparison)

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        """With what the teacher reads: as often as the student, or once where its word is kept."""
        plain, times = super().cost(recipe, pool, speed), self.passes(pool.rows)
        if (by := self.by_itself()) is not None:
            share = 2 * _share(by)
            written = model_seconds(recipe.models.student, share, plain.tokens, speed)
            read = model_seconds(self.teacher(recipe), 2, plain.tokens, speed)
            return plain + replace(self.beside(plain), seconds=written + read)
        heard = self.work.objective().heard(pool.rows, int(pool.rows * times), int(pool.tokens * times))
        return plain + replace(heard, seconds=model_seconds(self.teacher(recipe), 2, heard.tokens, speed))

    def beside(self, learned: Cost) -> Cost:
        """Of a training on answers that the student writes: the writing, and what the teacher reads."""
        by = self.by_itself()
        if by is None:
            return Cost()
        return Cost(forward=round((1 + _share(by)) * learned.backward), tokens=learned.tokens)

    def helpers(self, recipe: Recipe, trained: bool) -> list[Helper]:
        spec = self.teacher(recipe)
        return [*super().helpers(recipe, trained), *([Helper(spec, "teacher")] if spec.builtin else [])]

    def learn(
        self, context: Context, rows: Path, ids: Sequence[str], student: Path, settings: TrainSettings
    ) -> tuple[Path, dict[str, Any]]:
        by_itself = self.by_itself()
        if by_itself is None:
            return super().learn(context, rows, ids, student, settings)
        teacher = context.usable(self.teacher(context.recipe), "teacher")
        job = Job(rows, ids, student, settings, by_itself, teacher)
        return learned_once(context.home, job, partial(self.advanced, context))

    def teaching(self, context: Context, student: Path) -> TrainingSetup:
        plain = super().teaching(context, student)
        spec = context.usable(self.teacher(context.recipe), "teacher")
        return replace(plain, objective=self.work.objective(), teacher=spec)


def _share(by: Trainer) -> float:
    """Of the answers that are learned, how many the student writes itself."""
    return by.student_share if isinstance(by, OnPolicy) else 1.0
