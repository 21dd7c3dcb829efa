"""What a comparison does beside its arms, priced beforehand: the job without each step, and the learning curve."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.evolution.feedback.learning_curve import SHARES
from dataflywheel.recipe.planning.leaving import left_out, title
from dataflywheel.recipe.planning.price import repeated, step_cost
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.store.plan import PlannedRun


def more_lines(recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics, speed: float) -> list[PlannedRun]:
    """Each further run and of the curve: the most that they cost, since stored work is not done
    again."""
    compare = recipe.compare
    assert compare is not None
    found = []
    for left in left_out(steps, compare):
        again, trial = _without(recipe, steps, left, pool, speed)
        found.append((title(left), again + repeated(recipe, trial, compare.seeds)))
    if compare.curve:
        train, evaluate = _trial(recipe, steps, pool, speed)
        part = repeated(recipe, train, sum(SHARES) * compare.seeds)
        found.append(("learning curve", part + repeated(recipe, evaluate, len(SHARES) * compare.seeds)))
    return [PlannedRun(what=what, cost=cost) for what, cost in found]


def _without(
    recipe: Recipe, steps: Sequence[Step], left: Step, pool: PoolStatistics, speed: float
) -> tuple[Cost, Cost]:
    """What is done again when the step is missing, and one training with its evaluation.

    Measurements count where more rows are measured than in the run itself; what is written, in full, since other rows
    are written from.
    """
    rest = [step for step in steps if step is not left]
    measured, written = _made(recipe, rest, pool, speed, left.index)
    before, _ = _made(recipe, steps, pool, speed, left.index)
    more = Cost(*(max(0, a - b) for a, b in zip(vars(measured).values(), vars(before).values(), strict=True)))
    trial = sum(_trial(recipe, rest, pool, speed), Cost())
    return written + more + (trial if recipe.rounds > 1 else Cost()), trial


def _made(recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics, speed: float, after: int) -> tuple[Cost, Cost]:
    """Measuring and cleaning by all steps, and writing by those after the one of that number."""
    measured, written, seen = Cost(), Cost(), set[str]()
    for step in steps:
        cost = step_cost(recipe, step, pool, speed, seen)
        pool = step.left(pool)
        if step.writes:
            written += cost if step.index > after else Cost()
        elif step.changes_rows:
            measured += cost
    return measured, written


def _trial(recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics, speed: float) -> tuple[Cost, Cost]:
    """One training and one evaluation."""
    train, evaluate, seen = Cost(), Cost(), set[str]()
    for step in steps:
        cost = step_cost(recipe, step, pool, speed, seen)
        pool = step.left(pool)
        train += cost if step.role == "train" else Cost()
        evaluate += cost if step.role == "evaluate" else Cost()
    return train, evaluate
