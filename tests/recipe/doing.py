"""One step done by itself, outside of a walk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.store.record import StepRecord


def done(step: Step, context: Context, rows: Path, output: Path, fingerprint: str = "f", **more: Any) -> StepRecord:
    """The record of the step on a directory of rows; `more` is what else of a state it needs."""
    return step.do(Given(context, [step], State(rows, "", **more), output, fingerprint))
