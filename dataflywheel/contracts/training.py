"""Kinds that take part in training: samplers choose what is seen next, objectives say what is learned from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflywheel.contracts.columns import AnyArray, FloatArray
from dataflywheel.contracts.method import Method


@dataclass(frozen=True)
class TrainingRows:
    """What a sampler knows of the n rows of one training: parallel to the order in which they were given."""

    ids: Sequence[str]
    lengths: AnyArray
    """Tokens (n,)."""
    sources: Sequence[str]
    reference_loss: FloatArray | None = None
    """Nats a token of each answer under a reference model (n,), NaN where it has none; by row, never by place in an
    epoch."""


class Sampler(Method):
    """Dynamic selection: decides during training which rows the next step sees."""

    @abstractmethod
    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        """The state of one training, at its first step."""


class Draw(ABC):
    """A sampler at work. All that it knows is in `state_dict`, so that a killed training goes on with the same rows."""

    @abstractmethod
    def candidates(self, k: int) -> AnyArray:
        """Positions of the rows whose losses are wanted before k of them are chosen; exactly k where none is needed."""

    @abstractmethod
    def next_batch(self, positions: AnyArray, losses: FloatArray | None, k: int) -> AnyArray:
        """The k positions to train on, out of the candidates; `losses` (nats a token) is None where there are k."""

    @abstractmethod
    def observe(self, positions: AnyArray, losses: FloatArray) -> None:
        """What the model made of the rows that it was just trained on: nats a token of each."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that the next choice depends on, as JSON values."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


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
