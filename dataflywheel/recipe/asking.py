"""What a run spends on models that answer questions: checked before, paid on one account, entered in the bill."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel import catalog
from dataflywheel.contracts import Cost, DeferredError, Method, OverBudgetError, Signal, UsageError
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Limits, Recipe
from dataflywheel.store.answer_ledger import PICO, Amount, Caps
from dataflywheel.store.signals import SignalStore

if TYPE_CHECKING:
    from dataflywheel.recipe.context import Context
    from dataflywheel.recipe.steps.step import Step


ENDPOINT_FAILED = f"^({Outcome.TIMED_OUT}|{Outcome.SERVER_ERROR})"
RAISE = "raise it under `budget` and run again: what was answered is not paid twice"


def caps_of(limits: Limits) -> Caps:
    return Caps(limits.usd, limits.call_tokens, limits.calls)


@contextmanager
def account_of(context: Context, asks: bool) -> Iterator[None]:
    """Within, signals that ask a model spend on the run's account: its caps hold for all attempts at the run."""
    if not asks:
        yield
        return
    from dataflywheel.models.endpoint.account import account
    from dataflywheel.store.answers import AnswerStore

    context.answers = AnswerStore(context.home / "answers.db")
    try:
        _count_all(context)
        caps, watch = caps_of(context.recipe.budget), context.watcher.asking
        with account(context.answers, caps, context.scope, watch, deferring=True):
            yield
    finally:
        if context.run.unbilled:
            with suppress(Exception):
                context.run.bill(context.run.unbilled, asked_cost(context, context.run.unbilled))
        context.answers.close()
        context.answers = None


def _count_all(context: Context) -> None:
    """What the run's ledger says was paid counts against its caps, also where the store of answers was emptied or cut,
    or the run was moved, and the store knows less."""
    assert context.answers is not None
    billed = sum((cost for cost in context.run.ledger.steps.values() if cost.calls), Cost())
    known = context.answers.spent(context.scope)
    calls = known.calls + known.maybe_paid_calls
    if billed.calls <= calls:
        return
    tokens = known.tokens_in + known.tokens_out + known.maybe_paid_tokens
    usd = known.usd + known.maybe_paid_usd
    lost = Amount(billed.calls - calls, max(0, billed.tokens - tokens), 0, max(0, round((billed.usd - usd) * PICO)))
    context.answers.carry(context.scope, lost)
    warnings.warn(
        f"{context.answers.path} knows {calls:,} of the {billed.calls:,} calls that {context.run.ledger.path} names; "
        "all count against the caps, and answers that are not in the store are paid again",
        stacklevel=4,
    )


def asked_cost(context: Context, output: Path) -> Cost:
    """Calls, tokens and dollars of a step, what may have been paid at its worst case: all that the run spent so far and
    no other step was billed for. So bills add up to what was spent, also when a process was killed in between."""
    if context.answers is None or not output.is_relative_to(context.run.path):
        return Cost()  # nobody was asked, or what was made for a helper in the store and asks nobody
    step = context.run.bill_name(output)
    spent = context.answers.spent(context.scope)
    billed = sum((cost for name, cost in context.run.ledger.steps.items() if cost.calls and name != step), Cost())
    return Cost(
        calls=spent.calls + spent.maybe_paid_calls - billed.calls,
        tokens=spent.tokens_in + spent.tokens_out + spent.maybe_paid_tokens - billed.tokens,
        usd=round(spent.usd + spent.maybe_paid_usd - billed.usd, 12),
    )


def write_asked(path: Path, context: Context, step: Step, ids: pa.Array) -> int:
    """For steps that rest on a model's answers: by row and signal, the answers' keys and what they cost. Gives how many
    values are missing since the endpoint failed, which another try may change."""
    tables, again = [], 0
    for name in signals_of(step.needs()):
        signal = context.signal(name, step.signal_parameters())
        if signal.asks:
            found = context.signal_store.read(signal.key(), ids, ["error", "keys", "calls", "tokens", "usd"])
            again += pc.sum(pc.match_substring_regex(found["error"], ENDPOINT_FAILED)).as_py() or 0
            paid = found.drop_columns(["status", "error"])
            tables.append(paid.append_column("signal", pa.array([name] * len(found))))
    if tables:
        pq.write_table(pa.concat_tables(tables), path, compression="zstd", compression_level=1)
    return again


def forget_failed(context: Context) -> None:
    """What the endpoint failed at before the step at hand is none of its business."""
    if context.answers is not None:
        context.answers.failed.clear()


def failed_at_endpoint(context: Context, known: int = 0) -> dict[str, int]:
    """How many questions of the step at hand the endpoint failed at, whoever asked them (a writer, a gate, a judge, a
    metric), or `known` where that is more: another try may change what came of it, so the step is not finished."""
    failed = list(context.answers.failed.values()) if context.answers is not None else []
    again = max(known, sum(outcome in (Outcome.TIMED_OUT, Outcome.SERVER_ERROR) for outcome in failed))
    return {"again": again} if again else {}


def asking_keys(context: Context, step: Step) -> list[str]:
    """Keys of the step's signals that ask a model. They tell what lies in its folder and in files beside it, which may
    change under the same name; a built-in model follows from the pool."""
    kinds = [catalog.get(name) for name in signals_of(step.needs())]
    asking = [kind for kind in kinds if issubclass(kind, Signal) and kind.asks]
    return [
        context.signal(kind.name, step.signal_parameters()).key()
        for kind in asking
        if teacher(context.recipe, kind).builtin is None
    ]


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


def hand_in() -> None:
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

    for spec in (teacher(recipe, kind, given), *_others(kind, given or {})):
        needed = [*getattr(kind, "capabilities", ()), *(["batch"] if spec.batch else [])]
        offered(spec).require(needed, kind.name, spec.model or spec.hf or str(spec.builtin))
        check_price(spec, caps_of(recipe.budget))


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


def writes_itself(recipe: Recipe, kind: type[Method], given: Mapping[str, Any]) -> bool:
    """Whether a method asks the recipe's student: one that it trains, or that it names for a later training."""
    trains = any(name in ("train", "distill") for name, _ in recipe.named_steps())
    has = trains or "student" in recipe.models.model_fields_set
    return bool(getattr(kind, "own_model", None)) and has and given.get("model") is None


def _others(kind: type[Method], given: Mapping[str, Any]) -> list[ModelSpec]:
    """Models that a method asks besides its first, such as an `earlier` one."""
    named = [name for name, field in kind.model_fields.items() if field.annotation == ModelSpec | None]
    return [_own(kind, name, given[name]) for name in named if given.get(name) is not None]


def _own(kind: type[Method], name: str, given: Any) -> ModelSpec:
    """A model among a method's own parameters, which are written to disk as they are."""
    if isinstance(given, dict) and "api_key" in given:
        raise UsageError(f"{kind.name}.{name}: a key is kept secret under `models.teacher` only; move it there")
    return ModelSpec.model_validate(given)
