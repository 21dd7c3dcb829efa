"""The recipe run again without one of its steps, in a folder below the run: the rows that would have come out.

What the run has done before that step is taken from it by links. Signals, answers and trained models come from the
store that all share, so only what really changes is done, and it is billed to the same ledger and the same budget.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataflywheel.contracts import FlywheelError
from dataflywheel.recipe.bill import bill_failed
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.planning.checks import check
from dataflywheel.recipe.planning.leaving import title
from dataflywheel.recipe.progress import Watcher
from dataflywheel.recipe.steps.step import Step
from dataflywheel.recipe.walk import Walk
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.run import RunDirectory

if TYPE_CHECKING:
    from dataflywheel.models.endpoint.progress import Progress
    from dataflywheel.store.plan import Plan

FOLDER = "without"


@dataclass(frozen=True)
class LeftOut:
    """What came of the recipe without `step`: the rows that it would train on, or why there are none."""

    step: Step
    rows: Path
    ids: tuple[str, ...] = ()
    needed: str = ""
    """Why the recipe cannot run without the step, "" where it can."""
    stopped: str = ""
    """Which budget ended before the rows were there, "" where none did."""


def leave_out(context: Context, steps: Sequence[Step], left: Sequence[Step], walk: type[Walk]) -> list[LeftOut]:
    """Run the recipe once without each step of `left`, every other step keeping its number and so its seed.

    Where the recipe cannot do without a step, or no budget is left for the rest, the result of that step says so, and
    the other steps are left out all the same.
    """
    folder = context.run.path / FOLDER
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.name not in [step.place for step in left]:
            shutil.rmtree(old)
    return [_without(context, steps, step, folder / step.place, walk) for step in left]


def _without(context: Context, steps: Sequence[Step], step: Step, folder: Path, walk: type[Walk]) -> LeftOut:
    rest = [other for other in steps if other is not step]
    context.watcher.started(title(step))
    try:
        check(context.recipe, rest, comparison=False)
        run = RunDirectory(folder, context.run.ledger, _lend(context, steps, step, folder))
        part = replace(
            context,
            recipe=context.recipe.model_copy(update={"compare": None}),
            run=run,
            watcher=_Within(context.watcher, title(step)),
            trained=None,
            _clean={},
        )
        turned = walk(part, rest if context.recipe.rounds > 1 else _before_training(rest))
        stopped = turned.take_steps().stopped
        rows = turned.state.rows
        ids = () if stopped else tuple(read_rows(rows, ["id"])["id"].to_pylist())
        needed = "" if ids or stopped else "no row is left to train on"
        found, reused = LeftOut(step, rows, ids, needed, stopped), turned.all_reused
    except FlywheelError as error:
        bill_failed(context)
        found, reused = LeftOut(step, folder, needed=str(error)), False
    context.watcher.finished(title(step), found.needed or found.stopped or f"{len(found.ids):,} rows", reused)
    return found


def _before_training(steps: Sequence[Step]) -> list[Step]:
    """What makes the rows that are trained on, with the models whose failures are written from; the training itself is
    one of the comparison's."""
    last = max(step.index for step in steps if step.role == "train")
    failing = [step.index for step in steps if step.from_failures]
    heard = max(failing, default=0)
    made = [step for step in steps if _of_the_run(step) or (step.role == "train" and step.index < heard)]
    return [step for step in made if step.index < last]


def _of_the_run(step: Step) -> bool:
    """Whether the rows that are trained on follow from the step, a training apart."""
    return step.changes_rows or not step.every_round


def _lend(context: Context, steps: Sequence[Step], left: Step, folder: Path) -> list[Path]:
    """Link what the run has done before the step is left out; in a wheel the cleaning, since budgets differ by round.

    A finished step is never written to, so one file may stand in both places.
    """
    earlier = [step for step in steps if step.index < left.index and _of_the_run(step)]
    if context.recipe.rounds > 1:
        earlier = [step for step in earlier if not step.every_round]
    done = [context.run.step(step.index, step.name) for step in earlier]
    lent = []
    for source in (context.run.step(0, "pool"), context.run.path / "target", *done):
        goal = folder / source.relative_to(context.run.path)
        if not _same(source, goal):
            with atomic_directory(goal) as aside:
                shutil.copytree(source, aside, copy_function=_link, dirs_exist_ok=True)
        lent.append(goal)
    return lent


def _same(source: Path, goal: Path) -> bool:
    ours, theirs = source / "metrics.json", goal / "metrics.json"
    return theirs.is_file() and theirs.read_bytes() == ours.read_bytes()


def _link(source: str, goal: str) -> None:
    try:
        os.link(source, goal)
    except OSError:  # a file system without links
        shutil.copy2(source, goal)


class _Within:
    """News of a part of a run, as one line of the whole."""

    def __init__(self, outer: Watcher, title: str) -> None:
        self.outer, self.title = outer, title

    def foretold(self, plan: Plan) -> None:
        return None

    def planned(self, steps: list[str]) -> None:
        return None

    def started(self, step: str) -> None:
        return None

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        self.outer.advanced(self.title, f"{step}, {what}", done, total)

    def asking(self, progress: Progress) -> None:
        self.outer.asking(progress)

    def finished(self, step: str, note: str, reused: bool) -> None:
        return None
