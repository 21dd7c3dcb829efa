"""How a model did on the evaluation rows, as a run tells it."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from dataflywheel.store.atomic import finite
from dataflywheel.store.scoreboard import Better, Kept, ValueInterval


class Score(ValueInterval):
    """A value of the metric. What else was noted of it is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Evaluation(Kept):
    """The score of all rows and of each slice. What else an evaluation noted is kept as it is.

    >>> told = {"metric": "exact_match", "overall": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 80}}
    >>> found = Evaluation.model_validate(told)
    >>> found.overall.value, found.as_dict() == told
    (0.5, True)
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    metric: str = ""
    better: Better = "lower"
    overall: Score = Score()
    slices: dict[str, Score] = {}
    not_scored: int = 0
    """Rows that could not be scored."""

    def as_dict(self) -> dict[str, Any]:
        """As the step's record holds it."""
        held: dict[str, Any] = finite(self.model_dump(exclude_unset=True))
        return held
