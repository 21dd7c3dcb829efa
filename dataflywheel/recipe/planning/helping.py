"""Built-in models that are trained or made before steps can use them, as lines of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost, Method, PoolStatistics
from dataflywheel.models.embedding.static_embedder import READ, static_folder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.helpers import Helper, helpers_of, is_there
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.planning.named_arms import arm_needs
from dataflywheel.recipe.planning.targeting import guides_and_judges
from dataflywheel.recipe.pricing import MINILM_PARAMETERS, efficiency
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.store.plan import PlannedHelper

TRAINS = ("train", "distill", "warm_up")


def planned_helpers(
    recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics, speed: float, home: Path
) -> list[PlannedHelper]:
    """A line for each, before the first step that uses it."""
    seen: set[str] = set()
    found = []
    for what, told, before, cost in _used(recipe, steps, pool, speed):
        if told not in seen:
            seen.add(told)
            there = is_there(recipe, told, home)
            found.append(PlannedHelper(what=what, cost=Cost() if there else cost, before=before, there=there))
    return [*_encoder(recipe, steps, speed), *found]


def _encoder(recipe: Recipe, steps: Sequence[Step], speed: float) -> list[PlannedHelper]:
    """The static encoder, where a step or an arm reads vectors of it and it was not made yet."""
    arms = [need for entry in (recipe.compare.arms if recipe.compare else []) for need in arm_needs(entry)]
    users = [(step.place, step.needs(), step.signal_parameters(), step.made_with(recipe)) for step in steps]
    for place, needs, wanted, methods in [*users, ("compare", arms, {}, [])]:
        asked = [asked_signal(recipe.signals, name, wanted) for name in signals_of(needs)]
        used = [(one.kind, one.given) for one in asked] + list(methods)
        if any(_reads_static(recipe, kind, given) for kind, given in used):
            if static_folder().is_dir():
                return []
            seconds = 2 * MINILM_PARAMETERS * READ / (speed * efficiency(MINILM_PARAMETERS))
            return [PlannedHelper(what="make the static embedder", cost=Cost(seconds=round(seconds, 2)), before=place)]
    return []


def _reads_static(recipe: Recipe, kind: type[Method], given: Mapping[str, Any]) -> bool:
    if "embedder" not in kind.model_fields:
        return False
    return EmbedderSpec.model_validate(given.get("embedder") or recipe.models.embedder).builtin == "static"


def _used(
    recipe: Recipe, steps: Sequence[Step], pool: PoolStatistics, speed: float
) -> Iterator[tuple[str, str, str, Cost]]:
    """What is trained, all that it is, before which step, and what it costs."""

    def line(helper: Helper, before: str) -> tuple[str, str, str, Cost]:
        return f"{helper.title}, {helper.spec.size}", helper.told, before, helper.cost(pool, speed)

    divided, trained = recipe.rounds > 1 or guides_and_judges(recipe, steps), False
    for step in steps:
        yield from (line(helper, step.place) for helper in step.helpers(recipe, trained))
        for what, cost in step.learned_first(recipe, pool, speed).items():
            yield what, step.learned_first_as(recipe, divided), step.place, cost
        trained |= step.name in TRAINS
    needs = [need for entry in (recipe.compare.arms if recipe.compare else []) for need in arm_needs(entry)]
    yield from (line(helper, "compare") for helper in helpers_of(recipe, needs, {}, [], False))
