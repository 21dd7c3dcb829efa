"""Feedback: what an evaluation says, and how the next round's budget follows from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np

from dataflywheel.contracts.method import Method

Operator = Literal["answers", "rephrasings", "questions"]
"""What a writer adds to a set of rows: other answers to its questions, its questions in other words, or new ones."""


@dataclass(frozen=True)
class Writer:
    """A step that writes rows, as a policy over ways to get rows may know it."""

    operator: Operator
    seeds: int
    """Rows that there are to write from."""
    rows: int
    """Rows that all rounds together are to bring by it, before any policy moves some."""


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
    rows: Mapping[str, float] = field(default_factory=dict)
    """Rows added to the training set in that round, by arm."""
    usd: Mapping[str, float] = field(default_factory=dict)
    """What each arm cost in that round, lost proposals among it."""
    kept: bool = True
    """Whether its rows stayed; else the next round went on from the one before."""


@dataclass(frozen=True)
class Allocation:
    """The next round's budget: whole rows by slice or arm, which add up to it exactly, and why."""

    amounts: Mapping[str, int]
    reasons: Mapping[str, str]


class Policy(Method):
    """Feedback: evaluations in, the next round's budgets out. Sees the steering tier and nothing else."""

    over: ClassVar[Literal["slices", "arms"]] = "slices"
    """Whether it divides a budget among skills, or among ways to get rows."""

    writers_only: ClassVar[bool] = False
    """Whether it divides among steps that write, and leaves one that selects its part; for `over = "arms"`."""

    def knowing(self, writers: Mapping[str, Writer]) -> Self:
        """The policy where more is known of the arms that write rows, by their names."""
        return self

    @abstractmethod
    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        """`budget` rows over `names` (slices or arms), from all rounds so far, oldest first; none before the first."""
