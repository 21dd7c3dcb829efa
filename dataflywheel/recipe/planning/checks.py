"""What plan refuses: each check by itself, so that a user hears of everything at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from dataflywheel import catalog
from dataflywheel.contracts import Complaints, Method, Signal, UsageError, build, nearest
from dataflywheel.recipe.asked_signals import Asked, asked_signal, check_parameters
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.composed import told_of
from dataflywheel.recipe.inputs.target_judge import check_judged
from dataflywheel.recipe.load import UnsoundSignalsError, load_recipe
from dataflywheel.recipe.machine import check_files, check_local, check_packages
from dataflywheel.recipe.needs import model_kind, signals_of
from dataflywheel.recipe.planning.choices import check_choices
from dataflywheel.recipe.planning.following import check_followed
from dataflywheel.recipe.planning.memory import check_memory
from dataflywheel.recipe.planning.named_arms import arm_needs
from dataflywheel.recipe.planning.numbers import check_numbers
from dataflywheel.recipe.planning.order import MODELLED, check_order
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import UnbuiltStepsError, build_steps
from dataflywheel.recipe.steps.step import Step
from dataflywheel.selection.order import LEARNED, SLICE
from dataflywheel.signals.measured_columns import FACTS, LABEL, TEXTS


def read(recipe: str | Path | Recipe) -> Recipe:
    """The recipe in a file, or the one given.

    Raises:
        UsageError: it does not fit the schema; where only entries under `signals` mean nothing, all else that is wrong
            with it is told as well.
    """
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return load_recipe(Path(recipe))
    except UnsoundSignalsError as error:
        complaints, rest = Complaints(), error.rest
        with complaints.heard():
            raise UsageError(str(error)) from None
        with complaints.heard(), told_of(rest.composed):
            check(rest, built(rest, error.dropped), rest.compare is not None, error.dropped)
        complaints.end()
        raise


def built(recipe: Recipe, unsound: Collection[str] = ()) -> list[Step]:
    """All steps with their parameters checked.

    Raises:
        UsageError: unknown steps or parameters, and what else is wrong with the steps that could be built.
    """
    try:
        return build_steps(recipe)
    except UnbuiltStepsError as error:
        complaints = Complaints()
        with complaints.heard():
            raise UsageError(str(error)) from None
        for refuse in _alone(recipe, error.built, recipe.compare is not None, unsound):
            with complaints.heard():
                refuse()
        complaints.end()
        raise


def check(recipe: Recipe, steps: list[Step], comparison: bool, unsound: Collection[str] = ()) -> None:
    """Refuse what cannot work: missing files, targets, models, packages, steps in an impossible order.

    Nothing is said of columns of the signals that are `unsound`, for which others complain."""
    complaints = Complaints()
    for refuse in _checks(recipe, steps, comparison, unsound):
        with complaints.heard():
            refuse()
    complaints.end()


def _checks(
    recipe: Recipe, steps: list[Step], comparison: bool, unsound: Collection[str]
) -> Iterator[Callable[[], object]]:
    """Each check by itself, so that one that refuses hides nothing of the others."""
    yield lambda: check_order(recipe, steps, comparison)
    yield lambda: check_judged(recipe, [step.role for step in steps], comparison)
    yield lambda: check_followed(recipe, steps)
    yield from check_memory(recipe, steps)
    yield from _alone(recipe, steps, comparison, unsound)


def _alone(
    recipe: Recipe, steps: list[Step], comparison: bool, unsound: Collection[str]
) -> Iterator[Callable[[], object]]:
    """The checks that need not know all of the steps."""
    yield lambda: check_files(recipe.pool, "pool")
    yield lambda: check_files(recipe.target, "target")
    yield lambda: check_parameters(recipe.signals)
    yield from (partial(step.check, recipe, comparison) for step in steps)
    yield from (partial(check, recipe, step) for step in steps for check in (check_numbers, check_choices))
    wanted: dict[str, str] = {}
    for step in steps:
        wanted = dict.fromkeys(step.needs(), step.place) | wanted
    if comparison and recipe.compare:
        wanted = {need: "compare" for entry in recipe.compare.arms for need in arm_needs(entry)} | wanted
    wanted = {need: place for need, place in wanted.items() if need.partition(".")[0] not in unsound}
    yield from (partial(_check_column, recipe, need, place) for need, place in wanted.items())
    told = {name for step in steps for name in step.signal_parameters()}
    bare = {need: place for need, place in wanted.items() if place != "compare" and need.partition(".")[0] not in told}
    yield from (partial(_check_complete, recipe, need, place) for need, place in bare.items())
    yield from model_checks(recipe, _signals(recipe, list(wanted)), any(step.role in MODELLED for step in steps))
    if recipe.engine.ray:
        yield lambda: check_packages("ray", extra="ray")


def check_models(recipe: Recipe, signals: list[Asked], trains: bool) -> None:
    """The models behind signals and training are there, and what they run on is installed."""
    for refuse in model_checks(recipe, signals, trains):
        refuse()


def model_checks(recipe: Recipe, signals: list[Asked], trains: bool) -> Iterator[Callable[[], object]]:
    if trains or any(model_kind(one.kind) in ("model", "embedder") or _loads(one.kind) for one in signals):
        yield partial(check_packages, "torch", "transformers")
    if trains:
        yield partial(check_packages, "trl")
        yield partial(check_local, recipe.models.student, "student")
    for asked in signals:
        if getattr(asked.kind, "asks", False):
            yield partial(check_packages, "openai", extra="llm")
            yield partial(check_asking, recipe, asked.kind, asked.given)
    if any(model_kind(asked.kind) == "model" for asked in signals):
        yield partial(check_local, recipe.models.scorer or recipe.models.student, "scorer")
    if any(asked.kind.name == "language" for asked in signals):
        yield partial(check_packages, "lingua", extra="language")
    yield from (partial(_check_ready, asked) for asked in signals if asked.kind.ready is not Method.ready)


def _check_ready(asked: Asked) -> None:
    """Raises UsageError: what the signal leans on is not there."""
    build(asked.kind, asked.given).ready()


def _loads(kind: type[Method]) -> bool:
    return issubclass(kind, Signal) and kind.uses_model


def _check_column(recipe: Recipe, need: str, place: str) -> None:
    """
    Raises:
        UsageError: no signal gives the column.
    """
    name, _, column = need.partition(".")
    if name == "row":
        known = [*FACTS, *TEXTS, LABEL, SLICE, LEARNED]
        if need not in known:
            raise UsageError(f"{place}: rows have no {need!r}{nearest(need, known)}")
        return
    try:
        asked = asked_signal(recipe.signals, name)
        kind = asked.kind
    except UsageError as error:
        raise UsageError(f"{place}: {need!r}: {error}") from None
    if not issubclass(kind, Signal):
        raise UsageError(f"{place}: {name!r} is not a signal but a {kind.card.category} method")
    try:
        known = list(kind.columns_by(asked.given))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    if column not in (*known, "status", "error"):
        raise UsageError(f"{place}: {need!r}: {name} has no such column{nearest(column, known)}")


def _check_complete(recipe: Recipe, need: str, place: str) -> None:
    """
    Raises:
        UsageError: the signal of that column has parameters without a default, and nobody gives them.
    """
    name = need.partition(".")[0]
    fields = catalog.get(name, Signal).model_fields if name in catalog.names(Signal) else {}
    lacking = sorted(key for key, field in fields.items() if field.is_required() and key != "model")
    if lacking and name not in recipe.signals:
        more = ", ".join(f"{key}: ..." for key in lacking)
        raise UsageError(f"{place}: {need!r}: {name} has to be told more; write `signals: {{{name}: {{{more}}}}}`")


def _signals(recipe: Recipe, needs: Sequence[str]) -> list[Asked]:
    """The signals behind columns, as far as there are such."""
    found = []
    for name in signals_of(needs):
        with suppress(UsageError):
            found.append(asked_signal(recipe.signals, name))
    return found
