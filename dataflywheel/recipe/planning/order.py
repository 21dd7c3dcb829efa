"""In which order steps may stand, and what must stand before what."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel import catalog
from dataflywheel.contracts import Policy, UsageError, build
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step

LEARNED = ("train", "reinforce")
"""Roles of steps that make a model of their own accord."""
MODELLED = ("warm_up", *LEARNED)
"""Those, and what trains a model that only helps to choose rows."""


def check_order(recipe: Recipe, steps: Sequence[Step], comparison: bool) -> None:
    """The target decontaminated before anything is chosen or learned, a model before it is scored, and all that rounds,
    pairs and a comparison need.

    Raises:
        UsageError: a step is missing, or in a place where it cannot work.
    """
    roles = [step.role for step in steps]
    if not recipe.target and {"renew", "evaluate", "decontaminate"} & set(roles):
        need = next(name for name in ("renew", "evaluate", "decontaminate") if name in roles)
        raise UsageError(f"{need} needs a target: name evaluation rows under `target:`, or leave the step out")
    first = next((i for i, role in enumerate(roles) if role != "renew"), len(roles))
    if "renew" in roles[first:]:
        raise UsageError(
            f"renew comes before all other steps, which must keep away from the rows that it writes; put it before "
            f"`{roles[first]}`"
        )
    check_rounds(recipe, steps)
    check_preferring(steps, comparison)
    check_reinforcing(steps)
    first = next((i for i, role in enumerate(roles) if role in ("select", *MODELLED)), len(roles))
    if recipe.target and set(MODELLED) & set(roles) and "decontaminate" not in roles[:first]:
        raise UsageError(
            "the target must never be trained on: put a `decontaminate` step before the first `select` or `train`"
        )
    if comparison and not {"select", "train", "evaluate"} <= set(roles):
        missing = sorted({"select", "train", "evaluate"} - set(roles))
        raise UsageError(f"compare needs the steps select, train and evaluate; missing: {', '.join(missing)}")
    if "evaluate" in roles and not set(LEARNED) & set(roles[: roles.index("evaluate")]):
        raise UsageError("evaluate needs a `train` step before it")


def check_reinforcing(steps: Sequence[Step]) -> None:
    """One `reinforce`, behind all other trainings, whose model it takes up.

    Raises:
        UsageError: one of these is not so.
    """
    found = [step.index for step in steps if step.role == "reinforce"]
    if len(found) > 1:
        raise UsageError(f"a recipe has at most one `reinforce` step, and this one has {len(found)}")
    if found and any(step.index > found[0] for step in steps if step.role in ("train", "prefer")):
        raise UsageError("reinforce comes behind the last `train`, `distill` and `prefer`; put it there")


def check_preferring(steps: Sequence[Step], comparison: bool) -> None:
    """One `prefer`, behind the training whose model it takes up, and no comparison, whose trainings know no pairs.

    Raises:
        UsageError: one of these is not so, or `train` leaves pairs to a `prefer` that does not follow.
    """
    trains = [step.index for step in steps if step.role == "train"]
    prefers = [step.index for step in steps if step.role == "prefer"]
    left = [step.title for step in steps if step.leaves_pairs]
    if left and not prefers:
        raise UsageError(f"{left[0]}: `pairs: false` leaves pairs to a `prefer` step, and there is none; add it behind")
    if not prefers:
        return
    if len(prefers) > 1:
        raise UsageError(f"a recipe has at most one `prefer` step, and this one has {len(prefers)}")
    if not trains or trains[0] > prefers[0]:
        raise UsageError("prefer goes on from a trained model: put a `train` or `distill` step before it")
    if trains[-1] > prefers[0]:
        raise UsageError("prefer comes behind the last `train` or `distill`, which would begin anew; put it there")
    if comparison:
        raise UsageError("compare trains its arms on rows and not on pairs; leave `compare` or `prefer` out")


def check_rounds(recipe: Recipe, steps: Sequence[Step]) -> None:
    """A wheel has something to choose or write, a model that is trained and evaluated, and policies that exist.

    Raises:
        UsageError: a part is missing or in an order that cannot turn.
    """
    for name, given in recipe.feedback.items():
        build(catalog.get(name, Policy), given)
    if recipe.rounds == 1:
        return
    if not recipe.target:
        raise UsageError("rounds: a wheel is steered by evaluation; name evaluation rows under `target:`")
    names = [step.role for step in steps]
    if not any(step.brings for step in steps):
        raise UsageError("rounds: nothing brings new rows in a round; add a `select` or a `generate` step")
    for name in ("train", "evaluate"):
        if names.count(name) != 1:
            raise UsageError(f"rounds: a wheel has exactly one `{name}` step, and this recipe has {names.count(name)}")
    if names.count("select") > 1:
        raise UsageError("rounds: a wheel has at most one `select` step; combine them: `select: {by: [ifd, longest]}`")
    last = [name for name in names if name not in ("prefer", "reinforce")][-2:]
    if last != ["train", "evaluate"] or names[-1] != "evaluate":
        raise UsageError(
            "rounds: a wheel ends with `train` and `evaluate`, or has `prefer`, `reinforce` or both between them"
        )
    once = [step for step in steps if not step.every_round]
    if list(steps[: len(once)]) != once:
        raise UsageError("rounds: cleaning comes before the first `select`, `enhance` or `generate`")
    if not recipe.feedback:
        raise UsageError(
            "rounds: say how each round's budget follows from the last evaluation, such as "
            "`feedback: {weakest_slices: {}}`, or `{proportional: {}}` for no feedback"
        )
