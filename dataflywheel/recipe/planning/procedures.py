"""What a plan tells of the procedures of a recipe, which were written out when it was read."""

from __future__ import annotations

from dataflywheel.contracts import method_spec
from dataflywheel.recipe.schema import Recipe
from dataflywheel.store.plan import PlannedProcedure


def procedures(recipe: Recipe) -> dict[str, object]:
    """`procedures`: each as it was written, with the places of the steps that it stands for; `signals`: what they ask
    for under names of their own. Nothing where there are none."""
    composed = recipe.composed
    own: dict[int, list[str]] = {}
    for index, part in enumerate(composed.parts, 1):
        if part.names:
            own.setdefault(part.at, []).append(f"{index:02d}-{next(iter(part.entry))}")
    if not own:
        return {}
    told = [
        PlannedProcedure(procedure=name, params=given, steps=places)
        for places, (name, given) in zip(own.values(), (method_spec(composed.before[at]) for at in own), strict=True)
    ]
    added = {name: entry for name, entry in composed.signals.items() if name not in composed.signals_before}
    return {"procedures": told, **({"signals": added} if added else {})}
