"""What a plan tells of the plugins behind a recipe: their code is no part of this package, and changes by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from dataflywheel.contracts import REGISTRY, STEPS, Card
from dataflywheel.plugins.carried import loaded
from dataflywheel.plugins.named import named_in
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.store.plan import PlannedPlugin


def plugged(recipe: Recipe, steps: Sequence[Step]) -> list[PlannedPlugin]:
    """Each plugin that the recipe uses: its `plugin`, the `digest` of its code, and the cards of its `methods` that
    take part, by name; None for a kind of step without a card."""
    involved = [method.name for step in steps for method in step.involved()]
    procedures = [name for part in recipe.composed.parts for name in part.names]
    taken = set(named_in([recipe.model_dump(mode="json"), involved, procedures]))
    return [
        PlannedPlugin(plugin=one.place, digest=one.digest, methods=cards)
        for one in loaded()
        if (cards := {name: _card(name) for name in one.names if name in taken})
    ]


def _card(name: str) -> dict[str, JsonValue] | None:
    card = getattr(REGISTRY.get(name) or STEPS[name], "card", None)
    return card.model_dump(mode="json") if isinstance(card, Card) else None
