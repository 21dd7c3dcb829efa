"""How surely a classifier came to a label while it learned: easy, hard, or between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dataflywheel.contracts import FloatArray

SURE, UNSURE, SPREAD = 0.8, 0.2, 0.2
"""Confidence from which on a row is easy, up to which it is hard, and the most aleatoric uncertainty of either."""
Group = Literal["easy", "hard", "ambiguous"]


@dataclass(frozen=True)
class Dynamics:
    """Of one row over the rounds of boosting, or the passes over the texts."""

    confidence: float
    """The mean probability of its own label."""
    aleatoric: float
    """The mean of that probability times the rest to one."""

    @property
    def group(self) -> Group:
        """Easy or hard where it is learned or contradicted from early on, and ambiguous in between."""
        if self.aleatoric <= SPREAD and self.confidence >= SURE:
            return "easy"
        return "hard" if self.aleatoric <= SPREAD and self.confidence <= UNSURE else "ambiguous"


def dynamics_of(said: FloatArray) -> list[Dynamics]:
    """Of probabilities (rounds, n) of each row's own label.

    >>> import numpy as np
    >>> [one.group for one in dynamics_of(np.array([[0.9, 0.5, 0.0], [1.0, 0.6, 0.1]]))]
    ['easy', 'ambiguous', 'hard']
    """
    return [Dynamics(float(p.mean()), float((p * (1 - p)).mean())) for p in said.T]
