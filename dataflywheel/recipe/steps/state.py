"""What passes from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.failures import Student

if TYPE_CHECKING:
    from dataflywheel.recipe.steps.step import Step
    from dataflywheel.recipe.steps.train import Training


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
    training: Training | None = None
    """How rows were last learned."""
    chosen: Chosen | None = None
    scoring: Evaluate | None = None
    """How models are scored."""
    evaluation: dict[str, Any] | None = None

    def student(self) -> Student | None:
        return Student(self.model, self.steered) if self.model is not None else None


@dataclass(frozen=True)
class Given:
    """What a step is done with: the run, what came before it, and where its result belongs."""

    context: Context
    steps: Sequence[Step]
    """All steps of the recipe."""
    state: State
    output: Path
    fingerprint: str
    """Of what the step will give."""
