"""What passes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dataflywheel.contracts import Cost
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.steps.failures import Student


class Trained(Protocol):
    """How rows were learned, for whoever would learn others in the same way."""

    def trainer(self) -> TrainSettings:
        """What the trainer itself reads."""

    def teaching(self, context: Context, student: Path) -> TrainingSetup:
        """What takes part in it besides rows and settings."""


@dataclass(frozen=True)
class State:
    """What the steps done so far leave to the next one; a step gives another, and changes none."""

    rows: Path
    fingerprint: str
    """Of all that these rows follow from."""
    seeds: Path | None = None
    """What generators write from, where it is not the rows that came so far."""
    earlier: Path | None = None
    """Training rows of rounds before."""
    tiers: Mapping[str, Path] | None = None
    """The parts of the target that a round's evaluation scores, where it is divided."""
    steered: Path | None = None
    """Scores of the steering tier in the last round."""
    model: Path | None = None
    """The model that was trained last."""
    training: Trained | None = None
    """How rows were last learned."""
    learned: Path | None = None
    """The step that trained a first model on a few of the rows, whose decisions say on which."""
    warmed: Cost = field(default_factory=Cost)
    """What models cost that were trained only so that rows could be chosen."""
    chosen: Chosen | None = None
    scoring: Evaluate | None = None
    """How models are scored."""
    evaluation: dict[str, Any] | None = None

    def student(self) -> Student | None:
        return Student(self.model, self.steered) if self.model is not None else None
