"""Who is asked by a method that spends on a model that answers questions, and whether that can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from dataflywheel.contracts import DeferredError, Method, OverBudgetError, Signal, UsageError, explain
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Limits
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.signals import SignalStore

RAISE = "raise it under `budget` (or by `--usd`, `--calls`) and run again: what was answered is not paid twice"


def caps_of(limits: Limits) -> Caps:
    return Caps(limits.usd, limits.call_tokens, limits.calls)


def check_within(store: SignalStore, signal: Signal, ids: pa.Array) -> None:
    """Raises:
    OverBudgetError: a cap left rows without this signal; says how many, and what goes on how.
    """
    errors = store.read(signal.key(), ids, ["error"])["error"]
    left = pc.sum(pc.starts_with(errors, pattern=Outcome.OVER_BUDGET.value)).as_py() or 0
    if left:
        raise OverBudgetError(
            f"the cap on dollars, tokens or calls was reached with {left:,} of {len(ids):,} rows not asked about for "
            f"{signal.name}; {RAISE}"
        )


def submit_batches() -> None:
    """Submit the questions that signals gathered for a batch, if there are any.

    Raises:
        DeferredError: their answers come later; says how many were submitted, and how many are still under way.
        OverBudgetError: a cap lets none of them be submitted.
    """
    from dataflywheel.models.endpoint.account import submit_deferred

    batches = submit_deferred()
    sent, over, busy = (sum(getattr(b, name) for b in batches) for name in ("sent", "over_budget", "busy"))
    waiting = sum(sum(b.waiting.values()) for b in batches)
    told = [
        (sent, "requests were submitted as a batch"),
        (waiting, "requests are left in batches that are not through"),
        (busy, "requests are being asked by another process"),
        (sum(b.stored for b in batches), "answers came in meanwhile"),
        (over, "requests do not fit under the cap on dollars, tokens or calls"),
    ]
    if over and not (sent or waiting or busy):
        raise OverBudgetError(f"the cap on dollars, tokens or calls was reached with {over:,} requests left; {RAISE}")
    if batches:
        said = ", ".join(f"{number:,} {what}" for number, what in told if number)
        raise DeferredError(f"{said}; the same command collects the answers later and goes on")


def check_asking(recipe: Recipe, kind: type[Method], given: Mapping[str, Any] | None = None) -> None:
    """Refuse a method that asks a model which is not there or cannot do what it needs, before any call.

    Raises:
        UsageError: no model, a missing capability, or dollars capped and no price known.
    """
    from dataflywheel.models.endpoint.account import check_price, offered

    judging = judge(recipe, kind, given or {})
    for spec in (teacher(recipe, kind, given), *_others(kind, given or {}), *([judging] if judging else [])):
        needed = [*getattr(kind, "capabilities", ()), *(["batch"] if spec.batch else [])]
        offered(spec).require(needed, kind.name, spec.model or spec.hf or str(spec.builtin))
        check_price(spec, caps_of(recipe.budget))
    check_own_models(recipe, kind, given or {})


def check_own_models(recipe: Recipe, kind: type[Method], given: Mapping[str, Any]) -> None:
    """Raises UsageError: a method works with the recipe's student, and there is none, or one behind an endpoint of
    which it would need the weights."""
    from dataflywheel.models.endpoint.account import offered

    own: Mapping[str, str] = getattr(kind, "own_models", {})
    for field, needed in getattr(kind, "own_capabilities", {}).items():
        spec = recipe.models.student if given.get(field) is None else _own(kind, field, given[field])
        offered(spec).require(needed, f"{kind.name}: {field}", spec.model or spec.hf or str(spec.builtin))
    for field in (field for field in own if given.get(field) is None):
        if not has_student(recipe):
            raise UsageError(
                f"{kind.name} works with the model that is to be trained: name it (`models: {{student: {{hf: "
                f"FOLDER}}}}`), put a `train` step before, or give `{field}`"
            )
        if own[field] == "base" and recipe.models.student.endpoint is not None:
            raise UsageError(
                f"{kind.name}: its `{field}` is trained, and the student is {recipe.models.student.model} behind an "
                f"endpoint; give `{field}: {{hf: FOLDER}}`"
            )


def has_student(recipe: Recipe) -> bool:
    """Whether a recipe trains a student, or names one for a later training."""
    trains = any(name in ("train", "distill", "warm_up") for name, _ in recipe.named_steps())
    return trains or "student" in recipe.models.model_fields_set


def teacher(recipe: Recipe, kind: type[Method], given: Mapping[str, Any] | None = None) -> ModelSpec:
    """The model that a method asks: its own parameter, `given` in a step or under `signals`; of one that has the model
    in training write, the student; else the recipe's teacher.

    Raises:
        UsageError: neither is given.
    """
    own = (recipe.signals.get(kind.name, {}) if given is None else given).get("model")
    if own is not None:
        return _own(kind, "model", own)
    if writes_itself(recipe, kind, given or {}):
        return recipe.models.student
    if recipe.models.teacher is None and getattr(kind, "own_model", None):
        raise UsageError(
            f"{kind.name} asks the model that is to be trained: name it (`models: {{student: {{hf: FOLDER}}}}`, or "
            "`--ask FOLDER` on the command line)"
        )
    if recipe.models.teacher is None:
        raise UsageError(
            f"{kind.name} asks a model: name one, for instance `models: {{teacher: {{endpoint: "
            "http://localhost:8000/v1, model: NAME, usd_per_mtok: {in: 0.1, out: 0.4}}}`"
        )
    return recipe.models.teacher


def judge(recipe: Recipe, kind: type[Method], given: Mapping[str, Any]) -> ModelSpec | None:
    """The model that judges what a method had written, where it asks one and names none: the recipe's teacher.

    Raises:
        UsageError: there is none.
    """
    asks_judge = getattr(kind, "asks_judge", None)
    if asks_judge is None or given.get("judge") is not None or not asks_judge(given):
        return None
    if recipe.models.teacher is None and given.get("model") is not None:
        return None  # the model that writes judges too
    if recipe.models.teacher is None:
        raise UsageError(
            f"{kind.name} asks a model that judges: name one as `models.teacher` or as `judge` of the method, or score "
            "by what asks nobody, such as `by: final_answer`"
        )
    return recipe.models.teacher


def writes_itself(recipe: Recipe, kind: type[Method], given: Mapping[str, Any]) -> bool:
    """Whether a method asks the recipe's student: one that it trains, or that it names for a later training."""
    return bool(getattr(kind, "own_model", None)) and has_student(recipe) and given.get("model") is None


def _others(kind: type[Method], given: Mapping[str, Any]) -> list[ModelSpec]:
    """Models that a method asks besides its first, such as an `earlier` one, or several `models`."""
    named = [name for name, field in kind.model_fields.items() if field.annotation == ModelSpec | None]
    found = [_own(kind, name, given[name]) for name in named if given.get(name) is not None]
    several = [name for name, field in kind.model_fields.items() if field.annotation == tuple[ModelSpec, ...]]
    lists = [(name, given[name]) for name in several if isinstance(given.get(name), list | tuple)]
    return found + [_own(kind, name, one) for name, held in lists for one in held]


def _own(kind: type[Method], name: str, given: Any) -> ModelSpec:
    """A model among a method's own parameters, which are written to disk as they are."""
    if isinstance(given, dict) and "api_key" in given:
        raise UsageError(f"{kind.name}.{name}: a key is kept secret under `models.teacher` only; move it there")
    try:
        return ModelSpec.model_validate(given)
    except ValidationError as error:
        raise UsageError(explain(error, f"{kind.name}: {name}", list(ModelSpec.model_fields))) from None
