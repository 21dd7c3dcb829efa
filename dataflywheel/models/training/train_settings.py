"""How a model is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import nearest
from dataflywheel.models.templates.chat import Turns
from dataflywheel.models.training.learning_rate import Job, fitting_rate

Progress = Callable[[int, int, float], None]
"""Told after each step: the steps done, all steps, the loss."""


class Lora(BaseModel):
    """Low-rank adapters on every linear layer; merged into the weights when training ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(default=16, ge=1)
    """Rank of the adapters."""
    alpha: float = Field(default=32.0, gt=0)
    """Scale of the adapters, over the rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout in front of the adapters."""


class TrainSettings(BaseModel):
    """How a model is trained; `max_steps` overrides `epochs`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: ClassVar[int] = 3
    """One more whenever equal rows and settings would give other weights: part of the key of whatever was trained."""

    epochs: float = Field(default=3.0, gt=0)
    """Passes over the rows."""
    max_steps: int | None = Field(default=None, ge=1)
    """Steps in all."""
    learning_rate: float | None = Field(default=None, gt=0)
    """At its peak. Where none is given the usual one: of answers 1e-3 for models below 50 million weights, else 2e-5
    (with `lora` 2e-4); of pairs 1e-4, else 5e-7 (5e-6); of pairs without a reference (`simpo`) 1e-4, else 6e-7 (6e-6);
    of labels (`kto`) 1e-4, else 1e-6 (5e-6)."""
    force: bool = False
    """Take a learning rate that is ten times the usual one or more (of tiny models 1e-2 or more), which is refused
    otherwise."""
    batch_size: int = Field(default=16, ge=1)
    """Rows a step."""
    max_length: int = Field(default=1024, ge=8)
    """Tokens a row: the prompt is cut from its left first, then the answer."""
    turns: Turns = "all"
    """Which of the assistant's turns are learned: `all` but those that say that they must not be, or the `last`."""
    lora: Lora | None = None
    """Train adapters; `{}` takes the defaults below."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    scheduler: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """How the rate falls after the warm-up."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Of AdamW."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the matrix products; `auto` is bfloat16 where the hardware has it. Weights stay float32."""
    save_steps: int = Field(default=500, ge=1)
    """Steps between the checkpoints that a killed run resumes from."""
    seed: int = 0
    """Added to the recipe's seed."""

    def fitted(self, parameters: float, job: Job = "answers") -> Self:
        """These settings with the learning rate for a model of so many weights.

        Raises:
            UsageError: the one that is given would ruin it.
        """
        rate = fitting_rate(self.learning_rate, job, parameters, self.lora is not None, self.force)
        return self.model_copy(update={"learning_rate": rate})


def only_settings(given: Mapping[str, Any], field: str) -> None:
    """Raises ValueError: a parameter of a procedure that holds settings of a training holds something else."""
    for name in sorted(given.keys() - TrainSettings.model_fields.keys()):
        raise ValueError(
            f"{field}: {name!r} is no setting of a training{nearest(name, list(TrainSettings.model_fields))}"
        )
