"""The steps of a recipe as checked objects, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataflywheel.contracts import Complaints, UsageError
from dataflywheel.recipe.asked_signals import own_names
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.clean import Clean
from dataflywheel.recipe.steps.distill import Distilling
from dataflywheel.recipe.steps.enhance import Enhancing
from dataflywheel.recipe.steps.evaluate import Evaluating
from dataflywheel.recipe.steps.generate import Generating
from dataflywheel.recipe.steps.mend import Mending
from dataflywheel.recipe.steps.prefer import Preferring
from dataflywheel.recipe.steps.reinforce import Reinforcing
from dataflywheel.recipe.steps.renew import Renewing
from dataflywheel.recipe.steps.select import Selecting
from dataflywheel.recipe.steps.step import KINDS, Step
from dataflywheel.recipe.steps.train import Training
from dataflywheel.recipe.steps.warm_up import WarmingUp

OWN: tuple[type[Step], ...] = (
    *(
        Selecting,
        Enhancing,
        Mending,
        Generating,
        WarmingUp,
        Training,
        Distilling,
        Preferring,
        Reinforcing,
        Evaluating,
        Renewing,
    ),
)
"""The kinds that are shipped, in the order in which they are shown."""


class UnbuiltStepsError(UsageError):
    """Steps that cannot be; `built` are the others, so that plan can look for more."""

    def __init__(self, said: str, built: Sequence[Step]) -> None:
        super().__init__(said)
        self.built = list(built)


def build_steps(recipe: Recipe) -> list[Step]:
    """All steps with their parameters checked.

    Raises:
        UnbuiltStepsError: unknown steps or parameters, each with the nearest right name.
    """
    own, steps, complaints = own_names(recipe.signals), list[Step](), Complaints()
    for index, (name, given) in enumerate(recipe.named_steps(), 1):
        with complaints.heard():
            steps.append(replace(KINDS.get(name, Clean).made(index, name, given, recipe), named=own))
    try:
        complaints.end()
    except UsageError as error:
        raise UnbuiltStepsError(str(error), steps) from None
    return steps
