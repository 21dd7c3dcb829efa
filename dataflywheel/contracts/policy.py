"""Feedback: what an evaluation says, and how the next round's budget follows from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from dataflywheel.contracts.method import Method


@dataclass(frozen=True)
class SliceResult:
    """How the model does on one skill of the steering tier."""

    name: str
    value: float
    """In the metric's own unit."""
    low: float
    high: float
    n: int
    success: float
    """The value as a share of what can be had: 0 is chance (8 bits per byte, no exact match), 1 is perfect."""


@dataclass(frozen=True)
class RoundResult:
    """What a policy knows of one finished round."""

    slices: Sequence[SliceResult]
    spent: Mapping[str, float] = field(default_factory=dict)
    """Thousands of tokens added to the training set in that round, by arm (a source or a way to get rows)."""
    gain: float = 0.0
    """How much better the steering tier became through this round, in its metric, higher is better; 0 in the first."""


@dataclass(frozen=True)
class Allocation:
    """The next round's budget: whole rows by slice or arm, which add up to it exactly, and why."""

    amounts: Mapping[str, int]
    reasons: Mapping[str, str]


class Policy(Method):
    """Feedback: evaluations in, the next round's budgets out. Sees the steering tier and nothing else."""

    over: ClassVar[Literal["slices", "arms"]] = "slices"
    """Whether it divides a budget among skills, or among ways to get rows."""

    @abstractmethod
    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        """`budget` rows over `names` (slices or arms), from all rounds so far, oldest first; none before the first."""
