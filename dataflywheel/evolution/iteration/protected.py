"""Skills that must not get worse: a round that costs one of them too much is rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.paired import improvement
from dataflywheel.store.scoreboard import ValueInterval


class Protected(BaseModel):
    """Slices and how much worse each may become, in the metric's unit, against the best model so far."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slices: Mapping[str, Annotated[float, Field(ge=0)]] = {}
    """Margin of non-inferiority by slice: `{arithmetic: 0.02}`."""
    strict: bool = False
    """Roll back also where a loss beyond the margin is not excluded, not only where it was measured. Needs slices of
    some hundred rows, or nothing passes."""


@dataclass(frozen=True)
class Protection:
    """What became of the protected slices."""

    roll_back: bool
    reasons: Mapping[str, str]
    """By slice, in a sentence: what was measured, and whether it holds."""
    changes: Mapping[str, ValueInterval]


def protect(before: RowScores, after: RowScores, metric: str, protected: Protected) -> Protection:
    """Whether the round from `before` to `after` must be undone.

    A slice holds where its 95 % interval lies above minus its margin; it regressed where the change itself lies below;
    between the two, and with fewer than two rows scored, it is unclear.

    Raises:
        UsageError: a protected slice is not among the rows.
    """
    reasons, changes, roll_back = {}, {}, False
    for name, margin in _margins(before, protected).items():
        change = improvement(before, after, metric, [name])
        changes[name] = change
        measured = f"{change.value:+.4g} [{change.low:+.4g}, {change.high:+.4g}] over {change.n} rows"
        if change.low > -margin:
            reasons[name] = f"{name} holds: {measured}, margin {margin:g}"
            continue
        regressed = change.value < -margin
        roll_back |= regressed or protected.strict
        state = "regressed" if regressed else "is unclear"
        reasons[name] = f"{name} {state}: {measured}, margin {margin:g}"
    return Protection(roll_back, reasons, changes)


def _margins(scores: RowScores, protected: Protected) -> dict[str, float]:
    there = sorted({str(name) for name in scores.slices})
    missing = sorted(set(protected.slices) - set(there))
    if missing:
        raise UsageError(f"protected: no evaluation row is of slice {missing[0]!r}; there is: {', '.join(there)}")
    return dict(protected.slices)
