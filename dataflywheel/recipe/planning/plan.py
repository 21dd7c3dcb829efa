"""What a recipe will do and cost, checked before anything is computed or paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from dataflywheel import catalog
from dataflywheel.contracts import Complaints, Cost, Method, PoolStatistics, Signal, UsageError, build, nearest
from dataflywheel.plugins.blame import blamed
from dataflywheel.recipe.asked_signals import Asked, asked_signal, check_parameters
from dataflywheel.recipe.asking import check_asking
from dataflywheel.recipe.composed import told_of
from dataflywheel.recipe.inputs.looked import Looked, look
from dataflywheel.recipe.inputs.target_judge import check_judged
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.machine import check_files, check_local, check_packages
from dataflywheel.recipe.needs import model_kind, signals_of
from dataflywheel.recipe.planning.choices import check_choices
from dataflywheel.recipe.planning.following import check_followed, check_room, following
from dataflywheel.recipe.planning.helping import planned_helpers
from dataflywheel.recipe.planning.holding import holding
from dataflywheel.recipe.planning.memory import check_memory
from dataflywheel.recipe.planning.named_arms import arm_needs
from dataflywheel.recipe.planning.numbers import check_numbers
from dataflywheel.recipe.planning.order import MODELLED, check_order
from dataflywheel.recipe.planning.plugged import plugged
from dataflywheel.recipe.planning.price import comparison_cost, step_cost
from dataflywheel.recipe.planning.price_more import more_lines
from dataflywheel.recipe.planning.procedures import procedures
from dataflywheel.recipe.planning.weights import weights_told
from dataflywheel.recipe.pricing import flops
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.step import Step
from dataflywheel.selection.order import LEARNED, SLICE
from dataflywheel.signals.measured_columns import FACTS, TEXTS
from dataflywheel.store.plan import Plan, PlannedComparison, PlannedPool, PlannedStep

LOOKED_AT = 5000
"""Rows of each input whose form is checked against what the data set and the student can hold, its first."""


def plan(
    recipe: str | Path | Recipe, *, probe: int = 0, runs: str | Path = "runs", home: str | Path = ".flywheel"
) -> Plan:
    """Checks a recipe and estimates each step's rows, passes, tokens, dollars and seconds, without doing it.

    With `probe`, models behind endpoints are really asked about so many rows of the pool, and `probe` in the result
    says what all rows will cost, with intervals; the answers are kept in the store and not paid for again.

    Raises:
        UsageError: something the steps need is not there; the message says what and how to get it.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(Path(recipe))
    with told_of(loaded.composed), blamed(f"plan of {loaded.name}", loaded.model_dump(mode="json")):
        found = make_plan(loaded, build_steps(loaded), loaded.compare is not None, Path(home))
    if probe:
        from dataflywheel.recipe.planning.probe import probe as ask

        return found.model_copy(update={"probe": ask(loaded, found.pool.rows, probe, Path(runs), Path(home))})
    return found


def make_plan(recipe: Recipe, steps: list[Step], comparison: bool, home: Path = Path(".flywheel")) -> Plan:
    """The content of `plan.json`; `home` is the store, which may hold models already."""
    check(recipe, steps, comparison)
    looked = look(recipe.pool, LOOKED_AT)
    speed, left = flops(), looked.size
    seen: set[str] = set()
    lines: list[PlannedStep] = []
    reaching: list[PoolStatistics] = []
    for step in steps:
        step.check_pool(left)
        reaching.append(left)
        cost = step_cost(recipe, step, left, speed, seen)
        left = step.left(left)
        line = PlannedStep(
            round=1, index=step.index, step=step.name, params=step.parameters(), rows=left.rows, cost=cost
        )
        names = list(recipe.composed.names(step.index))
        more = {**({"of": names} if names else {}), **({} if step.priced() else {"priced": False})}
        lines.append(line.model_copy(update=more) if more else line)
    check_room(steps, reaching)
    own = plugged(recipe, steps)
    facts: dict[str, object] = {**procedures(recipe), **({"plugins": own} if own else {})}
    for number, step in enumerate(steps):
        for name, told in step.foreseen(recipe, looked, steps[:number]).items():
            facts.setdefault(name, told)  # of the first step of a kind
    total = sum((line.cost for line in lines), Cost())
    if helpers := planned_helpers(recipe, steps, looked.size, speed, home):
        facts["helpers"] = helpers
        total += sum((helper.cost for helper in helpers), Cost())
    if comparison and recipe.compare:
        facts["comparison"] = trials = _comparison(recipe, recipe.compare, steps, lines, looked.size, speed)
        total += sum((run.cost for run in trials.more), trials.cost)
    notes = [
        *(note for step in steps for note in step.unread(recipe)),
        *following(recipe, steps, comparison),
        *weights_told(recipe, steps),
    ]
    held = holding(recipe, looked.first)
    known = {"name": recipe.name, "seed": recipe.seed, "pool": _pool(looked), "dataset": held, "notes": notes}
    return Plan.model_validate({**facts, **known, "steps": lines, "total": total})


def _pool(looked: Looked) -> PlannedPool:
    size = looked.size
    counted = {"rows": size.rows, "chars": size.chars, "tokens": size.tokens}
    return PlannedPool(**counted, unread=looked.unread, bad=looked.bad, why_bad=looked.why)


def _comparison(
    recipe: Recipe, compare: Compare, steps: list[Step], lines: list[PlannedStep], pool: PoolStatistics, speed: float
) -> PlannedComparison:
    more = more_lines(recipe, steps, pool, speed)
    cost = comparison_cost(recipe, lines)
    return PlannedComparison(arms=len(compare.arms) + 1, seeds=compare.seeds, cost=cost, more=more)


def check(recipe: Recipe, steps: list[Step], comparison: bool) -> None:
    """Refuse what cannot work: missing files, targets, models, packages, steps in an impossible order."""
    complaints = Complaints()
    for refuse in _checks(recipe, steps, comparison):
        with complaints.heard():
            refuse()
    complaints.end()


def _checks(recipe: Recipe, steps: list[Step], comparison: bool) -> Iterator[Callable[[], object]]:
    """Each check by itself, so that one that refuses hides nothing of the others."""
    yield lambda: check_files(recipe.pool, "pool")
    yield lambda: check_files(recipe.target, "target")
    yield lambda: check_order(recipe, steps, comparison)
    yield lambda: check_parameters(recipe.signals)
    yield lambda: check_judged(recipe, [step.role for step in steps], comparison)
    yield from (partial(step.check, recipe, comparison) for step in steps)
    yield from (partial(check, recipe, step) for step in steps for check in (check_numbers, check_choices))
    yield lambda: check_followed(recipe, steps)
    yield from check_memory(recipe, steps)
    wanted: dict[str, str] = {}
    for step in steps:
        wanted = dict.fromkeys(step.needs(), step.place) | wanted
    if comparison and recipe.compare:
        wanted = {need: "compare" for entry in recipe.compare.arms for need in arm_needs(entry)} | wanted
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
        known = [*FACTS, *TEXTS, SLICE, LEARNED]
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
