"""Refuses what cannot work in steps that write rows and in recipes with rounds, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel import catalog
from dataflywheel.contracts import Method, Policy, UsageError, build
from dataflywheel.proposing.kinds import Gate
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.needs import asks
from dataflywheel.recipe.prefer_step import NO_PAIR
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps import Step
from dataflywheel.recipe.training import Prefer, Train


def check_proposing(recipe: Recipe, step: Step) -> None:
    """A writer in its place, with gates that exist, a model that can do what is asked, and a target where slices are.

    Raises:
        UsageError: one of these is not so.
    """
    work = step.work
    assert isinstance(work, Enhance | Generate)
    kind = work.proposer()
    if kind.rewrites != isinstance(work, Enhance):
        right, does = ("enhance", "rewrites rows") if kind.rewrites else ("generate", "writes new rows")
        raise UsageError(f"{step.title}: {kind.name} {does}; name it under `{right}`")
    if isinstance(work, Generate) and work.per == "slice" and not recipe.target:
        raise UsageError(f"{step.title}: `per: slice` needs a target; name evaluation rows under `target:`")
    if isinstance(work, Generate) and work.per is not None and kind.writes_from == "nothing":
        raise UsageError(
            f"{step.title}: {kind.name} writes from nothing, for no {work.per} in particular; leave `per` out"
        )
    if isinstance(work, Generate) and work.source == "target" and recipe.rounds == 1:
        raise UsageError(
            f"{step.title}: `source: target` writes from the steering tier, and only a wheel has tiers; write "
            "`rounds: 2` or more, or write from rows"
        )
    if isinstance(work, Generate) and not recipe.pool and step.index == 1:
        _check_from_nothing(step, work)
    earlier = {name for name, _ in recipe.named_steps()[: step.index - 1]}
    if isinstance(work, Generate) and work.from_failures and recipe.rounds == 1 and not {"train", "distill"} & earlier:
        raise UsageError(
            f"{step.title}: {kind.name} writes from rows that the student got wrong, and nothing is trained before it; "
            "write `rounds: 2` or more, with `train` and `evaluate`, or put a `train` step before it"
        )
    given = {**next(iter(work.by.values()))}
    for method, parameters in [(kind, given), *_gates(work, bool(recipe.target))]:
        if asks(method):
            check_asking(recipe, method, parameters)
        else:
            build(method, {**_placeholder(method), **parameters})


def unread_by_gates(recipe: Recipe, steps: Sequence[Step]) -> list[str]:
    """What gates will not look at for want of an extra package, a line a step and gate."""
    found = []
    for step in steps:
        if isinstance(step.work, Enhance | Generate):
            for kind, parameters in _gates(step.work, bool(recipe.target)):
                gate = None if asks(kind) else build(kind, {**_placeholder(kind), **parameters})
                said = gate.unread() if isinstance(gate, Gate) else ""
                found += [f"{step.title}: {kind.name}: {said}"] if said else []
    return found


def _check_from_nothing(step: Step, work: Generate) -> None:
    if work.proposer().writes_from != "nothing":
        raise UsageError(
            f"{step.title}: {work.proposer().name} writes from rows, and the recipe has no `pool`; name one"
        )
    if work.budget().unit != "rows":
        raise UsageError(f"{step.title}: `rows: {work.rows}` is a share of no rows; say how many")


def _gates(work: Enhance | Generate, target: bool) -> list[tuple[type[Method], dict[str, object]]]:
    return [(catalog.get(name, Gate), given) for name, given in work.gate_specs(target).items()]


def _placeholder(method: type) -> dict[str, object]:
    """A model for checking parameters with, where the recipe's is given only when the step runs."""
    fields = getattr(method, "model_fields", {})
    return {"model": "tiny"} if "model" in fields and fields["model"].is_required() else {}


def check_preferring(steps: Sequence[Step], comparison: bool) -> None:
    """One `prefer`, behind the training whose model it takes up, and no comparison, whose trainings know no pairs.

    Raises:
        UsageError: one of these is not so, or `train` leaves pairs to a `prefer` that does not follow.
    """
    trains = [step.index for step in steps if isinstance(step.work, Train)]
    prefers = [step.index for step in steps if isinstance(step.work, Prefer)]
    left = [step.title for step in steps if isinstance(step.work, Train) and not step.work.pairs]
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


def check_pairs(step: Step, pairs: int) -> None:
    """Raises UsageError: `prefer` without a pair in the pool, or any step before that writes one."""
    if isinstance(step.work, Prefer) and not pairs:
        raise UsageError(NO_PAIR.format(there="no row of the pool, and none that a step before writes,"))


def check_rounds(recipe: Recipe, names: Sequence[str]) -> None:
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
    if not {"select", "generate"} & set(names):
        raise UsageError("rounds: nothing brings new rows in a round; add a `select` or a `generate` step")
    for name in ("train", "evaluate"):
        if names.count(name) != 1:
            raise UsageError(f"rounds: a wheel has exactly one `{name}` step, and this recipe has {names.count(name)}")
    if names.count("select") > 1:
        raise UsageError("rounds: a wheel has at most one `select` step; combine them: `select: {by: [ifd, longest]}`")
    if [name for name in names if name != "prefer"][-2:] != ["train", "evaluate"] or names[-1] != "evaluate":
        raise UsageError("rounds: a wheel ends with `train` and `evaluate`, or with `train`, `prefer` and `evaluate`")
    cleaners = [name for name in names if name not in ("select", "enhance", "generate", "train", "prefer", "evaluate")]
    if list(names[: len(cleaners)]) != cleaners:
        raise UsageError("rounds: cleaning comes before the first `select`, `enhance` or `generate`")
    if not recipe.feedback:
        raise UsageError(
            "rounds: say how each round's budget follows from the last evaluation, such as "
            "`feedback: {weakest_slices: {}}`, or `{proportional: {}}` for no feedback"
        )
