"""Runs a recipe: plans, does what is not there yet, and ends with a data set, a model, an evaluation and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dataflywheel.contracts import DeferredError, FlywheelError, OverBudgetError, UsageError
from dataflywheel.plugins.blame import blamed
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.bill import account_of
from dataflywheel.recipe.comparing.compare import forget_comparison, run_comparison
from dataflywheel.recipe.comparing.leave_out import leave_out
from dataflywheel.recipe.composed import told_of
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.finish import embedding_map, map_is_whole
from dataflywheel.recipe.inputs.ingest import eval_set
from dataflywheel.recipe.inputs.target_judge import judges
from dataflywheel.recipe.needs import asks, signals_of
from dataflywheel.recipe.planning.checks import built, read
from dataflywheel.recipe.planning.leaving import left_out, title
from dataflywheel.recipe.planning.plan import make_plan
from dataflywheel.recipe.progress import Silent, Watcher
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.rounds.wheel import Wheel
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare
from dataflywheel.recipe.steps.learning import student_folder
from dataflywheel.recipe.steps.step import Step
from dataflywheel.recipe.walk import Walk
from dataflywheel.store.atomic import write_text
from dataflywheel.store.lock import only_here
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.scoreboard import Scoreboard

__all__ = ["Result", "run"]


def run(
    recipe: str | Path | Recipe,
    *,
    runs: str | Path = "runs",
    home: str | Path = ".flywheel",
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
        return _run(recipe, Path(runs), Path(home), watcher, comparison, finish)
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
    loaded = read(recipe)
    if comparison and loaded.compare is None:
        loaded = loaded.model_copy(update={"compare": Compare()})
    with told_of(loaded.composed), blamed(loaded.name, loaded.model_dump()):
        return _planned(recipe, loaded, runs, home, watcher, finish)


def _planned(
    recipe: str | Path | Recipe,
    loaded: Recipe,
    runs: Path,
    home: Path,
    watcher: Watcher | None,
    finish: Callable[[Path], object] | None,
) -> Result:
    steps = built(loaded)
    plan = make_plan(loaded, steps, loaded.compare is not None, home)
    if isinstance(recipe, Recipe):
        text = loaded.as_written().model_dump_json(indent=2)
    else:
        text = Path(recipe).read_text(encoding="utf-8")
    with only_here(runs / loaded.name):
        context = Context(loaded, RunDirectory(runs / loaded.name), home, watcher or Silent())
        context.signal_store.sweep()
        write_text(context.run.path / "recipe.yaml", text)
        plan.write(context.run.path)
        if hasattr(context.watcher, "foretold"):  # a user's own may be of before there was this word
            context.watcher.foretold(plan)
        result = _walked(context, steps)
        if finish is not None:
            finish(context.run.path)
    return result


def _walked(context: Context, steps: list[Step]) -> Result:
    """All steps, the data set, and the comparison, on one account."""
    recipe = context.recipe
    wanted = signals_of(need for step in steps for need in step.needs())
    methods = [asked_signal(recipe.signals, name).kind for name in wanted]
    methods += [method for step in steps for method in step.proposes(recipe.target != [])]
    judged = any(step.role == "evaluate" for step in steps) and judges(recipe) is not None
    with account_of(context, judged or any(asks(method) for method in methods)) as context:
        left = left_out(steps, recipe.compare)
        walk = Walk(context, steps) if recipe.rounds == 1 else Wheel(context, steps)
        after = [*map(title, left), *(["compare"] if recipe.compare else [])]
        context.watcher.planned(["00-pool", *walk.titles(), *after])
        result = walk.take_steps()
        walk.close(result)
        forget_comparison(context.run.path / "compare.json", walk.state.fingerprint)
        if recipe.compare and not result.stopped:
            _compare(walk, left, result)
        if "embedding" in wanted and not (map_is_whole(context.run.path) and walk.all_reused):
            embedding_map(walk.context, walk.state.rows)
        context.run.event("finished", stopped=result.stopped)
    return result


def _compare(walk: Walk, left: Sequence[Step], result: Result) -> None:
    """The comparison in `result`; where a budget ended it, `result` says what there is of it."""
    try:
        result.comparison = _compared(walk, left)
    except (OverBudgetError, DeferredError) as error:
        result.stopped = str(error)
    else:
        result.stopped = result.comparison.stopped or ""
    if result.stopped:
        result.stopped = f"compare: {result.stopped}"
        walk.context.run.event("stopped", reason=result.stopped)


def _compared(walk: Walk, left: Sequence[Step]) -> Scoreboard:
    context, state = walk.context, walk.state
    if state.chosen is None or state.training is None or state.scoring is None or context.target is None:
        raise UsageError("compare: the recipe needs a target and the steps select, train and evaluate")
    without = leave_out(context, walk.steps, left, type(walk))
    context.watcher.started("compare")
    exam = eval_set(context, state.scoring, walk.sealed())
    student = student_folder(context)
    taught, settings = state.training.teaching(context, student), state.training.trainer()
    return run_comparison(context, state.chosen, student, settings, exam, state.fingerprint, taught, without)
