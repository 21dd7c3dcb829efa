"""What a run spends on models that answer questions and on measuring: paid on one account, entered in the bill."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import Cost, PoolStatistics, Signal
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.endpoint.tried import escaped
from dataflywheel.recipe.asked_signals import Parameters
from dataflywheel.recipe.asking import caps_of, teacher
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.needs import signals_of
from dataflywheel.store.answer_ledger import PICO, Amount

REPLY_SHOWN = 120
"""Letters of a reply in the line of a step."""
ENDPOINT_FAILED = f"^({Outcome.TIMED_OUT}|{Outcome.SERVER_ERROR})"


@contextmanager
def account_of(context: Context, asks: bool) -> Iterator[Context]:
    """The execution within which signals that ask a model spend on the run's account: its caps hold for all attempts at
    the run."""
    if not asks:
        yield context
        return
    from dataflywheel.models.endpoint.account import account
    from dataflywheel.store.answers import AnswerStore

    answers = AnswerStore(context.home / "answers.db")
    context = replace(context, answers=answers)
    try:
        _count_all(context)
        caps, watch = caps_of(context.recipe.budget), context.watcher.asking
        with account(answers, caps, context.scope, watch, deferring=True):
            yield context
    finally:
        bill_failed(context)  # once nothing is under way any more
        _doubt(context)
        answers.close()


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


def bill_failed(context: Context) -> None:
    """Enter what steps spent that were begun and did not come to their bill."""
    with suppress(Exception):
        for step in sorted(context.run.ledger.unbilled):
            if (cost := asked_cost(context, step)).calls:
                context.run.ledger.enter(context.run.bill_name(step), cost)


def _doubt(context: Context) -> None:
    """Note in the ledger what of all that was spent may have been paid, at its worst case."""
    assert context.answers is not None
    with suppress(Exception):
        spent = context.answers.spent(context.scope)
        usd = round(spent.maybe_paid_usd, 12)
        context.run.ledger.doubt(Cost(calls=spent.maybe_paid_calls, tokens=spent.maybe_paid_tokens, usd=usd))


def write_asked(path: Path, context: Context, needs: Sequence[str], wanted: Parameters, ids: pa.Array) -> int:
    """For steps that rest on a model's answers: by row and signal, the answers' keys and what they cost. Gives how many
    values are missing since the endpoint failed, which another try may change."""
    tables, again = [], 0
    for name in signals_of(needs):
        signal = context.signal(name, wanted)
        if signal.asks:
            found = context.signal_store.read(signal.key(), ids, ["error", "keys", "calls", "tokens", "usd"])
            again += pc.sum(pc.match_substring_regex(found["error"], ENDPOINT_FAILED)).as_py() or 0
            paid = found.drop_columns(["status", "error"])
            tables.append(paid.append_column("signal", pa.array([name] * len(found))))
    if tables:
        pq.write_table(pa.concat_tables(tables), path, compression="zstd", compression_level=1)
    return again


def without_value(context: Context, needs: Sequence[str], wanted: Parameters, ids: pa.Array) -> dict[str, Any]:
    """Of each signal that asks a model, how many rows got no value, the commonest reason, and the beginning of a reply
    that gave none for it; nothing where all did."""
    told = []
    for name in signals_of(needs):
        signal = context.signal(name, wanted)
        if signal.asks:
            found = context.signal_store.read(signal.key(), ids, ["error", "keys"]).filter(pc.field("error").is_valid())
            errors = found["error"].to_pylist()
            if errors:
                kind = Counter(map(_kind, errors)).most_common(1)[0][0]
                at = next(at for at, error in enumerate(errors) if _kind(error) == kind)
                shown = reply_shown(context, found["keys"][at].as_py() or [])
                said = {"signal": name, "rows": len(errors), "of": len(ids), "reason": errors[at]}
                told.append(said | ({"reply": shown} if shown else {}))
    return {"without_value": told} if told else {}


def reply_shown(context: Context, keys: Sequence[str]) -> str:
    """The beginning of the first of these replies that is kept and has a text, as it is shown to people."""
    for key in keys if context.answers is not None else ():
        assert context.answers is not None
        held = context.answers.explain(bytes.fromhex(key))
        if held and held.get("text"):
            return escaped(str(held["text"]), REPLY_SHOWN)
    return ""


def _kind(error: str) -> str:
    """A reason without its numbers, which differ from row to row."""
    return re.sub(r"\d+(?:\.\d+)?(?:e-?\d+)?", "0", error)


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


def asking_keys(context: Context, needs: Sequence[str], wanted: Parameters) -> list[str]:
    """Keys of the signals behind these columns that ask a model. They tell what lies in its folder and in files beside
    it, which may change under the same name; a built-in model follows from the pool."""
    asked = {name: context.asked(name, wanted) for name in signals_of(needs)}
    asking = {name: one for name, one in asked.items() if issubclass(one.kind, Signal) and one.kind.asks}
    return [
        context.signal(name, wanted).key()
        for name, one in asking.items()
        if teacher(context.recipe, one.kind, one.given).builtin is None
    ]


def measuring_cost(context: Context, names: Sequence[str], ids: pa.Array, wanted: Parameters) -> Cost:
    """What measuring these columns of these rows cost, whenever it happened: seconds and passes."""
    signals = [context.signal(name, wanted) for name in signals_of(names)]
    passes = sum((signal.estimate(PoolStatistics(len(ids), 0, 0)) for signal in signals), Cost())
    seconds = context.measuring_seconds(names, ids, wanted)
    return Cost(seconds=round(seconds, 3), forward=passes.forward, backward=passes.backward)
