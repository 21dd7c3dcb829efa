"""What a round may be trained on: real rows at its heart, made rows of bounded lineage, nothing replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import UsageError


class Anchor(BaseModel):
    """How much of every round's training set must be real (arXiv 2404.01413: accumulate, never replace)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    real: float = Field(default=0.5, gt=0, le=1)
    """Smallest share of rows that no model made; never 0."""
    depth: int = Field(default=2, ge=1)
    """Rows made more times over than this are left out."""


@dataclass(frozen=True)
class Mix:
    """The rows of a round, in the order in which they were given, with the weight of each in training."""

    ids: tuple[str, ...]
    weight: tuple[float, ...]
    """2^-depth: 1 for a real row, half for one made from real rows."""
    real: float
    """Share of real rows."""
    dropped: Mapping[str, str]
    """Rows that were left out, with the reason."""


def mix(depths: Mapping[str, int], anchor: Anchor | None = None, earlier: Sequence[str] = ()) -> Mix:
    """The training set of a round, checked.

    Args:
        depths: how often each row offered was made over, by id (0: real), as `lineage.depths` counts.
        earlier: rows of the rounds before, all of which must be offered again: rounds add, they do not replace.

    Raises:
        UsageError: fewer real rows than the floor, or rows of earlier rounds are missing.
    """
    anchor = anchor or Anchor()
    missing = [id for id in earlier if id not in depths]
    if missing:
        raise UsageError(
            f"mix: {len(missing)} rows of earlier rounds are missing, {missing[0]} first; new rows in their place "
            "make models collapse: offer all rows of all rounds"
        )
    kept = {id: depth for id, depth in depths.items() if depth <= anchor.depth}
    dropped = {
        id: f"made {depth} times over, more than {anchor.depth}" for id, depth in depths.items() if id not in kept
    }
    real = sum(depth == 0 for depth in kept.values())
    share = real / len(kept) if kept else 0.0
    if share < anchor.real:
        raise UsageError(
            f"mix: {real} of {len(kept)} rows are real, {share:.0%}, and at least {anchor.real:.0%} must be; add real "
            f"rows, or {len(kept) - real - room(real, 0, anchor)} made rows fewer"
        )
    return Mix(tuple(kept), tuple(2.0**-depth for depth in kept.values()), share, dropped)


def room(real: int, made: int, anchor: Anchor | None = None) -> int:
    """How many more made rows fit beside `real` and `made` rows.

    >>> room(1000, 200, Anchor(real=0.5)), room(1000, 0, Anchor(real=0.8)), room(1000, 0, Anchor(real=1.0))
    (800, 250, 0)
    """
    share = (anchor or Anchor()).real
    # Rounding noise of the division must not cost a row.
    return max(0, int(real * (1 - share) / share + 1e-9) - made)
