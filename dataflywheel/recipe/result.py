"""What comes out of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataflywheel.store.evaluation import Evaluation
from dataflywheel.store.scoreboard import Scoreboard


@dataclass
class Result:
    """Where a run's results lie and what came out."""

    path: Path
    rows_in: int
    rows_out: int
    model: Path | None = None
    evaluation: Evaluation | None = None
    comparison: Scoreboard | None = None
    stopped: str = ""
    """Why the run ended early, "" when it did not."""
    rounds: int = 1
    left_out: dict[str, int] = field(default_factory=dict)  # final rows that the format cannot hold, by reason
    ended: str = ""
    """Why a wheel ended before its last round, "" where it turned to the end."""

    def as_dict(self) -> dict[str, Any]:
        held = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}
        typed = {"evaluation": self.evaluation, "comparison": self.comparison}
        return {**held, **{name: None if found is None else found.as_dict() for name, found in typed.items()}}
