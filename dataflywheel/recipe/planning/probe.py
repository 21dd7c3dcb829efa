"""What asking a model will really cost: a few rows are asked about, and the rest is estimated with an interval."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import FloatArray, FlywheelError, OverBudgetError, Signal, Status
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.endpoint.tried import escaped
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.asking import caps_of
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.rows.schema import Row, table
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.plan import Probed, Range
from dataflywheel.store.run import RunDirectory

SEEN = 4000
"""Rows of each source among which the probed ones are drawn."""


def of_all(per_row: FloatArray, rows: int) -> Range:
    """A total over so many rows from what each probed row cost (n,), with its 95% interval (Student's t)."""
    from scipy.stats import t

    n = len(per_row)
    mean = float(per_row.mean())
    half = float(t.ppf(0.975, n - 1) * per_row.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return Range(value=mean * rows, low=max(0.0, mean - half) * rows, high=(mean + half) * rows)


def probe(recipe: Recipe, rows_offered: int, rows: int, runs: Path, home: Path) -> list[Probed]:
    """Ask about a few rows of the pool for every signal that asks a model; the answers are kept and not paid again.

    What they cost is spent on the run's own account, under its caps. Gives, by signal: `rows` asked about, `failed`
    among them, and `calls`, `tokens`, `usd` and `seconds` for the whole pool as value, low and high.

    Raises:
        FlywheelError: not one row got a value; shows what the model said.
    """
    wanted = signals_of(need for step in build_steps(recipe) for need in step.needs())
    kinds = {name: asked_signal(recipe.signals, name).kind for name in wanted}
    asking = [name for name, kind in kinds.items() if issubclass(kind, Signal) and kind.asks]
    if not asking:
        return []
    batch = pa.Table.combine_chunks(table(sample(recipe, rows))).to_batches()[0]
    context = Context(recipe, RunDirectory(runs / recipe.name), home)
    answers = AnswerStore(home / "answers.db")
    try:
        with account(answers, caps_of(recipe.budget), context.scope):
            return [_probed(name, context.signal(name), batch, rows_offered, answers) for name in asking]
    finally:
        answers.close()


def sample(recipe: Recipe, rows: int) -> list[Row]:
    """Random rows from the beginnings of all sources, by the recipe's seed."""
    seen: dict[str, Row] = {}
    for given in inputs(recipe.pool):
        before = len(seen)
        for parsed in iter_parsed(given):
            seen |= {row["id"]: row for row in parsed.rows}
            if len(seen) - before >= SEEN:
                break
    ids = sorted(seen)
    return [seen[id] for id in random.Random(recipe.seed).sample(ids, min(rows, len(ids)))]


def _probed(name: str, signal: Signal, batch: pa.RecordBatch, rows_offered: int, answers: AnswerStore) -> Probed:
    began = time.perf_counter()
    measured = signal.measure(batch)
    seconds = (time.perf_counter() - began) / len(batch)
    totals = {
        name: of_all(np.asarray(measured[name], dtype=np.float64), rows_offered) for name in ("calls", "tokens", "usd")
    }
    _check_some_readable(name, measured, answers)
    failed = int((np.asarray(measured["status"]) == Status.FAILED).sum())
    return Probed(signal=name, rows=len(batch), failed=failed, **totals, seconds=seconds * rows_offered)


def _check_some_readable(name: str, measured: Mapping[str, Any], answers: AnswerStore) -> None:
    """Raises FlywheelError: rows were asked about, and none got a value; with the reason and the reply of the first."""
    status = np.asarray(measured["status"])
    failed = np.flatnonzero(status == Status.FAILED)
    if not len(failed) or (status <= Status.TRUNCATED).any():
        return
    first = int(failed[0])
    why, keys = (measured[column][first].as_py() for column in ("error", "keys"))
    held = [found for key in keys if (found := answers.explain(bytes.fromhex(key))) is not None]
    if str(why).startswith(Outcome.OVER_BUDGET):
        raise OverBudgetError(f"probe: {name}: the cap on dollars, tokens or calls leaves nothing to ask with")
    said = f"; the first reply: {escaped(str(held[0]['text']))}" if held else ""
    raise FlywheelError(
        f"probe: {name}: 0 of {len(failed):,} rows asked about got a readable answer: {why}{said}; name a model that "
        "follows instructions, or another method, before all rows are paid for"
    )
