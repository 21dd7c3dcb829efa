"""Which parts of a recipe choose by the target, and must not be judged by the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.recipe.planning.named_arms import arm_targeted
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step


def guides_and_judges(recipe: Recipe, steps: Sequence[Step]) -> bool:
    """Whether one target would choose rows and score what was learnt from them: then it is divided between the two."""
    if not recipe.target or not any(step.role == "evaluate" for step in steps):
        return False
    arms = recipe.compare.arms if recipe.compare else []
    return any(step.guided_by() for step in steps) or any(arm_targeted(entry) for entry in arms)
