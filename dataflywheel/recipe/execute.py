"""Runs a recipe: plans, does what is not there yet, and ends with a data set, a model, an evaluation and a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.plan import make_plan
from dataflywheel.recipe.progress import Silent, Watcher
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.schema import Compare, Recipe
from dataflywheel.recipe.steps import build_steps
from dataflywheel.recipe.walk import Walk
from dataflywheel.recipe.wheel import Wheel
from dataflywheel.store.atomic import write_json, write_text
from dataflywheel.store.lock import only_here
from dataflywheel.store.run import RunDirectory

__all__ = ["Result", "run"]


def run(
    recipe: str | Path | Recipe,
    *,
    runs: Path = Path("runs"),
    home: Path = Path(".flywheel"),
    watcher: Watcher | None = None,
    comparison: bool = False,
    finish: Callable[[Path], object] | None = None,
) -> Result:
    """Execute a recipe in `runs/<name>`, doing only what is not there yet.

    `finish` is called with that directory at the end, while it is still held against other processes.

    Raises:
        UsageError: the recipe asks for what does not exist or lacks what its steps need; nothing was done.
        FlywheelError: a step failed, and what was finished before stays; another process is in the directory; or a
            file may not be read or written.
    """
    try:
        return _run(recipe, runs, home, watcher, comparison, finish)
    except PermissionError as error:
        raise FlywheelError(
            f"{error.filename or runs}: {error.strerror}; check who may read and write there; what was done is kept, "
            "and the same command goes on from there"
        ) from None


def _run(
    recipe: str | Path | Recipe,
    runs: Path,
    home: Path,
    watcher: Watcher | None,
    comparison: bool,
    finish: Callable[[Path], object] | None,
) -> Result:
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(Path(recipe))
    if comparison and loaded.compare is None:
        loaded = loaded.model_copy(update={"compare": Compare()})
    steps = build_steps(loaded)
    plan = make_plan(loaded, steps, loaded.compare is not None)
    text = (
        Path(recipe).read_text(encoding="utf-8") if not isinstance(recipe, Recipe) else loaded.model_dump_json(indent=2)
    )
    with only_here(runs / loaded.name):
        context = Context(loaded, RunDirectory(runs / loaded.name), home, watcher or Silent())
        context.signal_store.sweep()
        write_text(context.run.path / "recipe.yaml", text)
        write_json(context.run.path / "plan.json", plan)
        walk = Walk(context, steps) if loaded.rounds == 1 else Wheel(context, steps)
        result = walk.go()
        if finish is not None:
            finish(context.run.path)
    return result
