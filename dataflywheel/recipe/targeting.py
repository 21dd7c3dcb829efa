"""Which parts of a recipe choose by the target, and must not be judged by the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.recipe.arms import arm_targeted
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps import Step
from dataflywheel.recipe.training import Train
from dataflywheel.selection.combine import Select


def targeted(steps: Sequence[Step]) -> list[str]:
    """Selectors that compare rows with evaluation rows."""
    works = [step.work for step in steps if isinstance(step.work, Select)]
    return [selector.name for work in works for selector in work.selectors() if selector.targeted]


def guides_and_judges(recipe: Recipe, steps: Sequence[Step]) -> bool:
    """Whether one target would choose rows and score what was learnt from them: then it is divided between the two."""
    if not recipe.target or not any(isinstance(step.work, Evaluate) for step in steps):
        return False
    samplers = [step.work.sampling() for step in steps if isinstance(step.work, Train)]
    by_target = [s for s in samplers if s is not None and s.needs_reference and s.reference_of == "target"]
    arms = recipe.compare.arms if recipe.compare else []
    return bool(targeted(steps) or by_target or any(arm_targeted(entry) for entry in arms))
