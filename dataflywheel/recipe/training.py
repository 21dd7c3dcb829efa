"""The steps `train`, `distill` and `prefer`: how the student learns, from which batches, and from whom besides rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel import catalog
from dataflywheel.contracts import Named, Objective, Sampler, UsageError, build
from dataflywheel.distillation.model.distill import TaughtBy
from dataflywheel.distillation.model.preference import Preference
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.evolution.iteration.trial import Teaching, trained
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training import TrainSettings
from dataflywheel.recipe.context import Context
from dataflywheel.rows.parts import read_rows

PAIR = "it is a pair, which `prefer` learns"
"""Why a step that leaves pairs alone does not train a row."""


class Settings(TrainSettings):
    """What the steps share."""

    def settings(self) -> TrainSettings:
        """What the trainer itself reads."""
        return TrainSettings(**{name: getattr(self, name) for name in TrainSettings.model_fields})


class Train(Settings):
    """The step `train`."""

    sampler: Named | None = None
    """What chooses the rows of every batch while the model learns: `rho_loss`, `{doremi: {step_size: 1}}`; all rows in
    turn where none is named."""
    pairs: bool = True
    """Learn the better answers of preference pairs too; `false` leaves rows that are pairs to the step `prefer`."""

    def sampling(self) -> Sampler | None:
        if self.sampler is None:
            return None
        ((name, given),) = self.sampler.items()
        made = build(catalog.get(name, Sampler), given)
        assert isinstance(made, Sampler)
        return made


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


class Prefer(Settings):
    """The step `prefer`: direct preference optimisation (arXiv 2305.18290) on the rows that are pairs, from the model
    of the `train` or `distill` step before."""

    version: ClassVar[int] = 2

    epochs: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.1, gt=0)
    """How strongly the model is held to the reference; the larger, the nearer it stays."""
    reference: Literal["start", "writer"] = "writer"
    """What the model is held to: where the model in training wrote pairs of this round (`spin`, `self_rewarding`), that
    `writer` as it was then, which is the methods' own loss; elsewhere, or with `start`, what it starts from."""
    iterations: int = Field(default=2, ge=1)
    """Of pairs that the model in training wrote, those of so many last rounds are learned, as SPIN is published."""

    def method(self) -> Preference:
        return Preference(beta=self.beta)


def distilling_teacher(context_recipe: Any, work: Distill) -> ModelSpec:
    """The model that is heard.

    Raises:
        UsageError: none is named, or it is behind an endpoint, where its distributions cannot be seen whole.
    """
    spec: ModelSpec | None = work.teacher or context_recipe.models.teacher
    if spec is None or spec.endpoint:
        raise UsageError(
            "distill needs a local teacher: name one, such as `teacher: {builtin: tiny, size: 5m}` in the step, or a "
            "folder (`hf: PATH`); of a model behind an endpoint learn by its answers (`enhance: {by: sequence_level}`)"
        )
    return spec


def check_sampling(work: Train, target: bool) -> None:
    """Raises UsageError: no such sampler, or one that compares with a model of the target where there is no target."""
    sampler = work.sampling()
    if sampler is not None and sampler.needs_reference and sampler.reference_of == "target" and not target:
        raise UsageError(f"{sampler.name} compares with a model of the target; name evaluation rows under `target:`")


def teaching(context: Context, work: Train, student: Path) -> Teaching:
    """What takes part in the training besides rows and settings; a reference is trained on the steering rows, or on the
    pool without what shares text with the target."""
    sampler = work.sampling()
    reference = None
    if sampler is not None and sampler.needs_reference:
        rows = context.guide if sampler.reference_of == "target" else context.clean_pool()
        assert rows is not None, "the plan refuses a sampler that compares with the target where there is none"
        ids = read_rows(rows, ["id"])["id"].to_pylist()
        reference, _ = trained(context.home, rows, ids, student, work.settings())
    if not isinstance(work, Distill):
        return Teaching(sampler, None, reference)
    spec = context.usable(distilling_teacher(context.recipe, work), "teacher")
    return Teaching(sampler, work.objective(), reference, spec)
