"""The verbs that end with a report, as functions: a run or a comparison, then its pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflywheel.contracts import OverBudgetError
from dataflywheel.recipe import execute
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.pages import write_pages
from dataflywheel.store.scoreboard import Scoreboard


@dataclass
class RunResult(execute.Result):
    """A run's outcome with its report."""

    report: Path | None = None


def run(recipe: str | Path | Recipe, **options: Any) -> RunResult:
    """Execute a recipe and write its report and data set card; `dataflywheel.recipe.execute.run` has the options."""
    result = execute.run(recipe, finish=write_pages, **options)
    return RunResult(**vars(result), report=result.path / "report.html")


def compare(recipe: str | Path | Recipe, **options: Any) -> Scoreboard:
    """Run the recipe with its comparison and give the scoreboard: `board.best.name`, `board["random"].mean`.

    Raises:
        OverBudgetError: the budget ended before two seeds of every arm were trained.
    """
    result = run(recipe, comparison=True, **options)
    if result.comparison is None:
        raise OverBudgetError(f"{result.path}: {result.stopped}; nothing was compared")
    return result.comparison
