"""What a recipe's steps and its comparison cost, from the pool's size and the models' weights."""

from __future__ import annotations

import os
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, PoolStatistics, Signal
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.pricing import signal_cost
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step


def step_cost(recipe: Recipe, step: Step, pool: PoolStatistics, speed: float, seen: set[str]) -> Cost:
    """A step's own work and the signals that no earlier step has measured."""
    cost = Cost()
    for name in sorted(set(signals_of(step.needs())) - seen):
        seen.add(name)
        kind = catalog.get(name)
        assert issubclass(kind, Signal)
        cost += signal_cost(recipe, kind, pool, speed)
    return cost + step.cost(recipe, pool, speed)


def comparison_cost(recipe: Recipe, lines: list[dict[str, Any]]) -> Cost:
    """All trials of all arms."""
    assert recipe.compare is not None
    one = sum((Cost(**line["cost"]) for line in lines if line["step"] in ("train", "distill", "evaluate")), Cost())
    return repeated(recipe, one, (len(recipe.compare.arms) + 1) * recipe.compare.seeds)


def repeated(recipe: Recipe, one: Cost, trials: float) -> Cost:
    """So many trials of that cost; small students are trained side by side."""
    cores = (os.cpu_count() or 1) if recipe.models.student.builtin else 1
    return Cost(
        seconds=round(one.seconds * trials / cores, 1),
        forward=round(one.forward * trials),
        backward=round(one.backward * trials),
        tokens=round(one.tokens * trials),
    )
