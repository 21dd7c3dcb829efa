"""What a round may be trained on: real rows at its heart, made rows of bounded lineage, nothing replaced."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Anchor(BaseModel):
    """How much of every round's training set must be real (arXiv 2404.01413: accumulate, never replace)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    real: float = Field(default=0.5, gt=0, le=1)
    """Smallest share of rows that no model made; never 0."""
    depth: int = Field(default=2, ge=1)
    """Rows made more times over than this are left out."""


def room(real: int, made: int, anchor: Anchor | None = None) -> int:
    """How many more made rows fit beside `real` and `made` rows.

    >>> room(1000, 200, Anchor(real=0.5)), room(1000, 0, Anchor(real=0.8)), room(1000, 0, Anchor(real=1.0))
    (800, 250, 0)
    """
    share = (anchor or Anchor()).real
    # Rounding noise of the division must not cost a row.
    return max(0, int(real * (1 - share) / share + 1e-9) - made)
