"""When another round is not worth it, said in a plain sentence."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.paired import improvement
from dataflywheel.evolution.metrics.named import better


class Stopping(BaseModel):
    """When the wheel stops before its last round."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patience: int = Field(default=2, ge=1)
    """Rounds in a row without a shown improvement on the select tier."""
    minimum_gain: float = Field(default=0.0, ge=0)
    """Improvement, in the metric's unit, below which another round is not worth it."""

    def why(
        self,
        select: Sequence[RowScores],
        metric: str,
        *,
        alarms: Sequence[str] = (),
    ) -> str:
        """The first reason to stop, or "".

        Args:
            select: scores of the select tier by round, oldest first; a round that was rolled back too.
            alarms: what the monitors of diversity and of the judge say of the last round and what is worth a stop.
        """
        if alarms:
            return f"stopped: {alarms[0]}" + (f" (and {len(alarms) - 1} alarms more)" if alarms[1:] else "")
        return self._stalled(select, metric)

    def _stalled(self, select: Sequence[RowScores], metric: str) -> str:
        """Whether none of the last rounds is better than the best round before them: by the paired bootstrap its lower
        end is not above 0, or even its upper end below the minimum gain."""
        if len(select) <= self.patience:
            return ""
        sign = 1 if better(metric) == "higher" else -1
        before = max(select[: -self.patience], key=lambda scores: sign * scores.metric())
        changes = [improvement(before, scores, metric) for scores in select[-self.patience :]]
        if any(change.low > 0 and change.high >= self.minimum_gain for change in changes):
            return ""
        best = max(changes, key=lambda change: change.value)
        rounds = "the last round" if self.patience == 1 else f"the last {self.patience} rounds"
        return (
            f"stopped: {rounds} did not improve on the select tier; the best changed {metric} for the better by "
            f"{best.value:.3g} [{best.low:.3g}, {best.high:.3g}] over {best.n} rows"
        )
