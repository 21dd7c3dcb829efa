"""What a recipe's steps and its comparison cost, from the pool's size and the models' weights."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.asking import teacher
from dataflywheel.recipe.needs import asks, signals_of
from dataflywheel.recipe.pricing import signal_cost
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.store.plan import PlannedStep

PROBE_READ, PROBE_WRITTEN = 40, 10
"""Tokens of the question whether an endpoint obeys a schema, and of its answer."""


def step_cost(recipe: Recipe, step: Step, pool: PoolStatistics, speed: float, seen: set[str]) -> Cost:
    """A step's own work and the signals that no earlier step has measured; one that follows the model in training is
    measured anew with every model."""
    cost, asking = Cost(), [(kind, given) for kind, given in step.made_with(recipe) if asks(kind)]
    for name in signals_of(step.needs()):
        asked = asked_signal(recipe.signals, name, step.signal_parameters())
        asking += [(asked.kind, asked.given)] if asks(asked.kind) else []
        known = f"{asked.same}:{step.index}" if asked.follows and recipe.rounds == 1 else asked.same
        if known not in seen:
            seen.add(known)
            one = signal_cost(recipe, asked, pool, speed)
            cost = sum((one for _ in range(rounds_of(recipe, step, name))), cost) if asked.follows else cost + one
    return cost + _probes([teacher(recipe, *one) for one in asking], seen) + step.cost(recipe, pool, speed)


def _probes(models: Sequence[ModelSpec], seen: set[str]) -> Cost:
    """One small question to each endpoint that nobody says of whether it obeys a schema, at most: methods that read
    their answers otherwise do without."""
    cost = Cost()
    for spec in models:
        known = f"probe:{spec.endpoint}:{spec.model}"
        if spec.endpoint and not spec.batch and "json_schema" not in spec.capabilities and known not in seen:
            seen.add(known)
            price = spec.usd_per_mtok
            usd = (PROBE_READ * price.input + PROBE_WRITTEN * price.output) / 1e6 if price else 0.0
            cost += Cost(calls=1, tokens=PROBE_READ + PROBE_WRITTEN, usd=usd)
    return cost


def rounds_of(recipe: Recipe, step: Step, name: str) -> int:
    """In how many rounds a step reads a signal: perhaps not in the first, where nothing was chosen before."""
    if recipe.rounds == 1 or not step.every_round:
        return 1
    return recipe.rounds - (name not in signals_of(step.in_round(1, 1, {}).needs()))


def comparison_cost(recipe: Recipe, lines: Sequence[PlannedStep]) -> Cost:
    """All trials of all arms."""
    assert recipe.compare is not None
    one = sum((line.cost for line in lines if line.step in ("train", "distill", "evaluate")), Cost())
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
