"""The arms of a comparison: which rows each trains on, for every seed, at the cost of the recipe's own selection."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import Columns, Cost, PoolStatistics, UsageError, nearest
from dataflywheel.recipe.context import Context, signals_of
from dataflywheel.recipe.steps import Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.combine import Select, select_rows
from dataflywheel.store.decisions import read_decisions

LENGTH = ("text.tokens_prompt", "text.tokens_answer")


@dataclass(frozen=True)
class Arm:
    """Rows to train on, one list of ids a seed; `epochs` 1 where the same training tokens buy more rows."""

    name: str
    label: str
    role: str
    rows: Path
    ids: tuple[tuple[str, ...], ...]
    select_cost: Cost
    same_tokens: bool = False


@dataclass(frozen=True)
class Field:
    """Where the arms draw from: the rows before the selection, the raw pool without leaks, and the selection itself."""

    before: Path
    raw: Path
    leaked: frozenset[str]
    selected: tuple[str, ...]
    step: Step

    @property
    def select(self) -> Select:
        assert isinstance(self.step.work, Select)
        return self.step.work


def build_arms(context: Context, field: Field, seeds: Sequence[int], epochs: float) -> list[Arm]:
    """The recipe's selection first, then what `compare` names.

    Raises:
        UsageError: an arm is no selector, nor one of `random_raw` and `full`.
    """
    assert context.recipe.compare is not None
    own = Arm(
        "selection",
        f"this recipe: {field.select.label()}",
        "selection",
        field.before,
        (field.selected,) * len(seeds),
        _own_cost(context, field),
    )
    return [own, *(_arm(context, field, seeds, epochs, entry) for entry in context.recipe.compare.arms)]


def _arm(context: Context, field: Field, seeds: Sequence[int], epochs: float, entry: str | dict[str, Any]) -> Arm:
    name = entry if isinstance(entry, str) else next(iter(entry))
    lengths = context.measured(field.before, LENGTH, "compare")
    if name == "random_raw":
        return _random_raw(context, field, seeds, lengths)
    if name == "full":
        return _full(field, seeds, epochs, lengths)
    by: Any = entry
    if name == "length_matched_random" and isinstance(entry, str):
        chosen = np.isin(lengths.ids.astype(str), np.asarray(field.selected, dtype=str))
        by = {name: {"lengths": [int(n) for n in lengths["text.tokens_answer"][chosen]]}}
    spec = _same_budget(field, lengths, by)
    columns = context.measured(field.before, (*spec.needs(), *LENGTH), "compare")
    began = time.perf_counter()
    ids = tuple(_draw(columns, spec, seed) for seed in seeds)
    seconds = (time.perf_counter() - began) / len(seeds)
    cost = selecting_cost(context, spec, field.before, seconds)
    role = (
        "baseline" if name in ("random", "longest", "length_matched_random", "source_balanced_random") else "selection"
    )
    return Arm(name, name.replace("_", " "), role, field.before, ids, cost)


def _draw(columns: Columns, spec: Select, seed: int) -> tuple[str, ...]:
    selection, _ = select_rows(columns, spec, np.random.default_rng([seed, 7919]))
    return tuple(str(i) for i in columns.ids[selection.order])


def _same_budget(field: Field, lengths: Columns, by: Any) -> Select:
    """A selection of exactly as many rows as the recipe's own, or as many tokens where its budget is in tokens."""
    keep: int | str = len(field.selected)
    if "token" in str(field.select.keep):
        keep = field.select.keep if isinstance(field.select.keep, str) else str(field.select.keep)
    try:
        return Select(by=by, keep=keep)
    except UsageError:
        raise
    except ValueError as error:
        known = ["random_raw", "full", "random", "longest", "length_matched_random"]
        raise UsageError(f"compare: {by!r} is not an arm{nearest(str(by), known)} ({error})") from None


def _random_raw(context: Context, field: Field, seeds: Sequence[int], lengths: Columns) -> Arm:
    """Random choice as one would make it without this system: from the pool as it came, less the leaked rows."""
    columns = context.measured(field.raw, LENGTH, "compare")
    columns = columns.take(np.flatnonzero([i not in field.leaked for i in columns.ids]))
    ids = tuple(_draw(columns, _same_budget(field, lengths, "random"), seed) for seed in seeds)
    return Arm("random_raw", "random, from the raw pool", "baseline", field.raw, ids, Cost())


def _full(field: Field, seeds: Sequence[int], epochs: float, lengths: Columns) -> Arm:
    """The whole cleaned pool for the same training tokens: as many distinct rows as those tokens pay for, seen once."""
    tokens = lengths["text.tokens_prompt"].astype(np.int64) + lengths["text.tokens_answer"].astype(np.int64)
    chosen = np.isin(lengths.ids.astype(str), np.asarray(field.selected, dtype=str))
    room = float(tokens[chosen].sum()) * epochs
    ids = []
    for seed in seeds:
        order = np.random.default_rng([seed, 104729]).permutation(len(tokens))
        ids.append(tuple(str(i) for i in lengths.ids[order[np.cumsum(tokens[order]) <= room]]))
    return Arm(
        "full", "full pool, same training tokens", "baseline", field.before, tuple(ids), Cost(), same_tokens=True
    )


def selecting_cost(context: Context, spec: Select, rows: Path, seconds: float) -> Cost:
    """Measuring the columns that the selection reads, whenever that happened, and ranking."""
    ids = read_rows(rows, ["id"])["id"].combine_chunks()
    measuring = context.measuring_seconds(spec.needs(), ids)
    passes = sum(
        context.signal(name).estimate(PoolStatistics(len(ids), 0, 0)).forward for name in signals_of(spec.needs())
    )
    return Cost(seconds=round(measuring + seconds, 3), forward=passes)


def _own_cost(context: Context, field: Field) -> Cost:
    return selecting_cost(context, field.select, field.before, 0.0)


def leaked_rows(decisions: Path) -> frozenset[str]:
    """Ids that decontamination dropped."""
    table = read_decisions(decisions)
    return frozenset(table.filter(pc.equal(table["action"], pa.scalar("dropped")))["id"].to_pylist())
