"""What becomes of the weights that a selection gives: who learns by them, and who does not know them."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.rows.trainers import TRAINERS


def weights_told(recipe: Recipe, steps: Sequence[Step]) -> list[str]:
    """A line for whoever weighs rows, for each step that learns and counts all alike, and for the data set; none where
    no step gives weights."""
    first = next((step for step in steps if step.weighs), None)
    if first is None:
        return []
    later = [step for step in steps if step.index > first.index]
    learns = [step.place for step in later if step.role == "train" and not step.counts_alike]
    by = f", and {' and '.join(learns)} learns by them" if learns else ""
    lines = [f"{first.place}: the rows that {first.weighs} keeps have weights{by}."]
    lines += [f"{step.place} does not know weights: all rows count alike there." for step in later if step.counts_alike]
    if recipe.format in TRAINERS:
        lines.append(
            f"{recipe.format} does not know weights either: the data set has them in a column `weight`, for a loss of "
            "your own; all rows count alike where that is not read."
        )
    return lines
