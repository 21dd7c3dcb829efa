"""By which method a student learns from a teacher."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel import catalog
from dataflywheel.contracts import Method, Named, UsageError
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.models.training.trainer import Trainer


class TaughtBy(BaseModel):
    """By which method a student learns from a teacher."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Named = Field(default={"dense_distillation": {}})
    """`dense_distillation`, `top_k_distillation`, `aligned_vocabulary`, `uld`, or `on_policy`, with its parameters."""

    def method(self) -> TaughtObjective | Trainer:
        """Raises UsageError: no such method of distillation, or a parameter that it does not take."""
        made = catalog.made(self.by, Method, rooms=("distillation",))
        if not isinstance(made, TaughtObjective) and not (isinstance(made, Trainer) and made.beside == "teacher"):
            raise UsageError(f"distill: {made.name} trains no student from a teacher's distributions")
        return made
