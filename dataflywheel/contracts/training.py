"""Kinds that take part in training: samplers choose what is seen next, objectives say what is learned from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from dataflywheel.contracts.columns import AnyArray, FloatArray
from dataflywheel.contracts.method import Method


@dataclass(frozen=True)
class TrainingRows:
    """What a sampler knows of the n rows of one training: parallel to the order in which they were given, those
    without an answer left out."""

    ids: Sequence[str]
    lengths: AnyArray
    """Tokens (n,)."""
    sources: Sequence[str]
    reference: Sequence[FloatArray] | None = None
    """Nats of each answer token under a reference model, one array a row, empty where it has none; by row, never by
    place in an epoch. None where there is no reference at all."""
    columns: Mapping[str, AnyArray] = field(default_factory=dict)
    """The columns that the sampler `needs`, by name: (n,) or, of vectors, (n, d)."""
    steps: int = 0
    """Optimiser steps of the whole training."""
    slices: Sequence[str] = ()
    """What validation losses are given by, ascending; none for samplers that do not ask for them."""
    rehearsed: Sequence[FloatArray] = ()
    """Validation losses (slices,) after each of the sampler's `rehearsals`, in their order; nats a token."""

    @property
    def reference_loss(self) -> FloatArray:
        """Nats a token under the reference (n,), NaN where a row has none."""
        known = self.reference or [np.empty(0)] * len(self.ids)
        return np.array([losses.mean() if len(losses) else np.nan for losses in known])


@dataclass(frozen=True)
class Asks:
    """Work that a sampler asks for beside a training."""

    steps: int = 0
    """Optimiser steps of all its rehearsals."""
    validations: int = 0
    """Passes over the validation rows, those after rehearsals included."""


class Sampler(Method):
    """Dynamic selection: decides during training which rows the next step sees."""

    needs_reference: ClassVar[bool] = False
    """Whether rows must come with the losses of a reference model."""
    reference_of: ClassVar[Literal["target", "pool"]] = "target"
    """What a recipe trains that model on: rows that are known to be good, or all that there are."""
    reads_sources: ClassVar[bool] = False
    """Whether the sources of rows change what is learned, and so are part of a training's identity."""
    watches: ClassVar[bool] = False
    """Whether the losses of the rows that were trained on are wanted, which `observe` takes."""
    follows_order: ClassVar[bool] = False
    """Whether the order in which rows are given changes what is learned, and so is part of a training's identity."""
    validates: ClassVar[bool] = False
    """Whether losses on validation rows are wanted, by slice: it then starts a `ValidatedDraw`. A recipe takes these
    rows from the part of its target that may guide, never from what is scored."""

    def needs(self) -> tuple[str, ...]:
        """Columns of the rows that it reads, such as `embedding.vector`, or `row.slice`: the skill that a row teaches,
        "" where none could be found."""
        return ()

    def validated(self, ids: Sequence[str], slices: Sequence[str]) -> AnyArray:
        """Positions of the validation rows whose losses are measured, out of those with these ids and slices."""
        return np.arange(len(ids))

    def rehearsals(self, rows: TrainingRows, batch: int, seed: int) -> list[AnyArray]:
        """Short trainings after each of which the validation losses are wanted, before the training itself begins: the
        positions that each learns, in batches of `batch`, from the same untrained model. One without positions stands
        for that model as it is."""
        return []

    def asks(self, skills: int, steps: int) -> Asks:
        """What it asks beyond the training itself, of so many skills and steps: what a plan prices."""
        return Asks()

    def check(self, skills: Sequence[str]) -> None:
        """Raises UsageError: its parameters do not fit the skills that there are."""
        return

    @abstractmethod
    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        """The state of one training, at its first step."""


class Draw(ABC):
    """A sampler at work. All that it knows is in `state_dict`, so that a killed training goes on with the same rows."""

    @abstractmethod
    def candidates(self, k: int) -> AnyArray:
        """Positions of the k rows to train on. Asked once a step."""

    def observe(self, positions: AnyArray, losses: Sequence[FloatArray]) -> None:
        """What the model made of the rows that it is just trained on: nats of each answer token, one array a row.
        Asked of samplers that watch."""
        return

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that the next choice depends on, as JSON values."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...

    def summary(self) -> dict[str, Any]:
        """What there is to tell at the end, as JSON values: weights that were found, rows that could not take part."""
        return {}

    def left_out(self) -> Mapping[int, str]:
        """Positions of rows that it did not draw, each with the reason; asked at the end."""
        return {}


class ChoosingDraw(Draw):
    """One that looks at losses first: `candidates` may give more than k positions, of which it then chooses k."""

    @abstractmethod
    def next_batch(self, positions: AnyArray, losses: FloatArray, k: int) -> AnyArray:
        """The k positions to train on, out of more candidates than that, by their `losses` (nats a token)."""


class ValidatedDraw(Draw):
    """One that hears of the losses on validation rows, as often as it wants and no more."""

    @abstractmethod
    def due(self) -> bool:
        """Whether they are wanted before the next step. Asked once a step, before `candidates`."""

    @abstractmethod
    def validate(self, losses: FloatArray) -> None:
        """The losses (slices,) of the model as it is now, in nats a token, in the order of `TrainingRows.slices`."""


@dataclass(frozen=True)
class AnswerPositions:
    """The m answer tokens of one batch, as tensors: what an objective is computed from."""

    states: Any
    """Last hidden state that predicts each token (m, d)."""
    labels: Any
    """The tokens themselves (m,)."""
    rows: Any
    """Position of each token's row among the rows of the training (m,)."""
    places: Any
    """Index of each token among its row's answer tokens (m,)."""
    tokens: Sequence[int] = field(default=())
    """Answer tokens of every row of the batch."""


class Objective(Method):
    """What is learned from an answer token in place of its cross-entropy alone."""

    @abstractmethod
    def loss(self, at: AnswerPositions, table: Any) -> Any:
        """Sum over the tokens of `at`, in nats; `table` (V, d) makes logits of states. The caller divides by the
        number of tokens of the whole optimiser step, so that neither the batch nor padding changes it."""
