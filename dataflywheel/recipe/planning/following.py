"""Signals of the model that was trained last: whether there is one when they are read, and what is measured instead."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import PoolStatistics, UsageError
from dataflywheel.recipe.asked_signals import asked_signal, own_names
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.planning.named_arms import arm_needs
from dataflywheel.recipe.planning.price import rounds_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.recipe.steps.warm_up import too_few
from dataflywheel.selection.order import LEARNED

TRAINS = ("warm_up", "train", "prefer")
"""Roles of steps that leave a model."""


def followed_by(recipe: Recipe, step: Step) -> list[str]:
    """The signals that a step reads of the model that was trained last, as the recipe names them."""
    wanted = step.signal_parameters()
    return [name for name in signals_of(step.needs()) if asked_signal(recipe.signals, name, wanted).trained]


def check_followed(recipe: Recipe, steps: Sequence[Step]) -> None:
    """Raises UsageError: a step reads a signal of the model that was trained last, and none ever is before it; or what
    a warm-up learned, and there is none."""
    for number, step in enumerate(steps):
        if LEARNED in step.needs() and not any(before.role == "warm_up" for before in steps[:number]):
            raise UsageError(
                f"{step.title}: {step.method() or step.name} goes on from the rows that a `warm_up` learned, and there "
                "is none before it; put one there, such as `warm_up: {by: k_center, keep: 500}`"
            )
        turns = recipe.rounds > 1 and step.every_round
        if turns or any(before.role in TRAINS for before in steps[:number]):
            continue
        for name in followed_by(recipe, step):
            once = "cleaning is done once, before the first round" if recipe.rounds > 1 else "nothing is trained before"
            way = "" if recipe.rounds > 1 else "write `rounds: 3`, put a `train` step before it, or "
            raise UsageError(
                f"{step.title}: {name} is of the model that was trained last, and {once}; {way}leave `of: trained` out"
            )


def check_room(steps: Sequence[Step], pools: Sequence[PoolStatistics]) -> None:
    """Raises UsageError: a selection goes on from what a warm-up learns and keeps fewer rows, of the most that can
    reach it and of a tenth of them; in between, the warm-up finds it before it trains."""
    for number, step in enumerate(steps):
        if LEARNED not in step.needs():
            continue
        first = next(before for before in reversed(steps[:number]) if before.role == "warm_up")
        tries = (pools[number].rows, pools[number].rows // 10)
        found = [(first.learns_first(rows), step.left(PoolStatistics(rows, 0, 0)).rows) for rows in tries]
        if all(learned > kept for learned, kept in found):
            raise UsageError(too_few(first, found[0][0], step, found[0][1]))


def following(recipe: Recipe, steps: Sequence[Step], comparison: bool) -> list[str]:
    """What the plan says of such signals, and of names of the recipe's own that nothing reads, a line each."""
    told = [_told(recipe, step, name) for step in steps for name in followed_by(recipe, step) if recipe.rounds > 1]
    arms = recipe.compare.arms if comparison and recipe.compare else ()
    read = signals_of(need for entry in arms for need in arm_needs(entry))
    by_the_scorer = [name for name in read if asked_signal(recipe.signals, name).trained]
    said = "compare: arms are chosen before any training; the scorer measures {} for them"
    told += [said.format(name) for name in by_the_scorer]
    used = {*read, *signals_of(need for step in steps for need in step.needs())}
    return told + [f"signals: nothing reads {name}" for name in own_names(recipe.signals) if name not in used]


def _told(recipe: Recipe, step: Step, name: str) -> str:
    times = rounds_of(recipe, step, name)
    first = "" if times < recipe.rounds else "; in the first, before any training, the scorer measures it"
    return f"{step.title}: {name} is measured anew in {times} rounds, with the model of the best round before{first}"
