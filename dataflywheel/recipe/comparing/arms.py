"""The arms of a comparison: which rows each trains on, for every seed, at the cost of the recipe's own selection."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import Columns, Cost, method_specs
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.planning.named_arms import selection_of_arm
from dataflywheel.recipe.steps.select import measuring_cost, with_target
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.combine import select_rows, weights_by_id
from dataflywheel.selection.spec import TOKENS, Select, row_tokens

LABELS = {
    "random": "random, from the same cleaned rows",
    "one_round": "one round, without feedback",
}


@dataclass(frozen=True)
class Arm:
    """Rows to train on, one list of ids a seed; `epochs` where they differ from the recipe's for the same tokens."""

    name: str
    label: str
    role: str
    rows: Path
    ids: tuple[tuple[str, ...], ...]
    select_cost: Cost
    epochs: float | None = None
    weights: tuple[Mapping[str, float] | None, ...] = ()
    """How much the rows count, one mapping by id for each seed, times what they have themselves; empty: as they are."""
    share: float = 1.0
    """Of the rows that are trained on: a fixed number of steps is cut alike, so that all rows are seen as often."""


def build_arms(context: Context, chosen: Chosen, seeds: Sequence[int], epochs: float) -> list[Arm]:
    """The recipe's selection first, then what `compare` names.

    Raises:
        UsageError: an arm is no selector, nor one of `random_raw`, `full` and `one_round`.
    """
    assert context.recipe.compare is not None
    # An arm is chosen once, before any training. What followed the model in training was measured in the rounds.
    entries, context, select = context.recipe.compare.arms, context.before_training(), chosen.select
    wanted = select.signal_parameters()
    names = [name for name in select.needs() if not context.followed([name], wanted)]
    context.measured(chosen.before, names, "compare", wanted)  # the store may be younger than the run
    spent = measuring_cost(context, names, read_rows(chosen.before, ["id"])["id"].combine_chunks(), wanted)
    spent += chosen.followed
    own = Arm(
        "selection",
        f"this recipe: {chosen.label or chosen.select.label()}",
        "selection",
        chosen.trained,
        (chosen.selected,) * len(seeds),
        replace(spent, seconds=round(spent.seconds + chosen.ranking_seconds, 3)),
    )
    return [own, *(_arm(context, chosen, seeds, epochs, entry) for entry in entries)]


def _arm(context: Context, chosen: Chosen, seeds: Sequence[int], epochs: float, entry: str | dict[str, Any]) -> Arm:
    name, parameters = method_specs(entry)[0]
    own = context.measured(chosen.trained, TOKENS, "compare")
    if name == "random_raw":
        return _random_raw(context, chosen, seeds, own)
    if name == "full":
        return _full(chosen, seeds, epochs, context.measured(chosen.before, TOKENS, "compare"), own)
    by: Any = entry
    if name == "length_matched_random" and isinstance(entry, str):
        by = {name: {"lengths": [int(n) for n in own["text.tokens_answer"]]}}
    spec = _same_budget(chosen, by, own)
    if name == "one_round":
        spec = chosen.select.at_first().model_copy(update={"keep": spec.keep})
    columns = context.measured(chosen.before, (*spec.needs(), *TOKENS), "compare", spec.signal_parameters())
    columns = with_target(context, spec, columns, "compare")
    began = time.perf_counter()
    draws = seeds[:1] if spec.deterministic else seeds
    drawn = [_draw(columns, spec, seed) for seed in draws]
    seconds = (time.perf_counter() - began) / len(draws)
    drawn = drawn * len(seeds) if spec.deterministic else drawn
    ids, weights = tuple(ids for ids, _ in drawn), tuple(weights for _, weights in drawn)
    cost = selecting_cost(context, spec, chosen.before, seconds)
    role = (
        "baseline" if name in ("random", "longest", "length_matched_random", "source_balanced_random") else "selection"
    )
    chosen_by = name if not parameters else f"{name} {parameters}"
    label = LABELS.get(chosen_by, chosen_by.replace("_", " "))
    return Arm(chosen_by, label, role, chosen.before, ids, cost, weights=weights)


def _draw(columns: Columns, spec: Select, seed: int) -> tuple[tuple[str, ...], Mapping[str, float] | None]:
    """Ids of the rows that a selection keeps, and how much each counts where they do not count alike."""
    selection, _ = select_rows(columns, spec, np.random.default_rng([seed, 7919]))
    return tuple(str(i) for i in columns.ids[selection.order]), weights_by_id(columns, selection)


def _same_budget(chosen: Chosen, by: Any, own: Columns) -> Select:
    """A selection of exactly as many rows as the recipe trains on, or as many tokens where its budget is in tokens."""
    by = "random" if by == "one_round" else by
    if chosen.select.budget().unit != "tokens":
        return selection_of_arm(by, len(chosen.selected))
    return selection_of_arm(by, f"{int(row_tokens(own).sum())} tokens" if chosen.label else chosen.select.keep)


def _random_raw(context: Context, chosen: Chosen, seeds: Sequence[int], own: Columns) -> Arm:
    """Random choice as one would make it without this system: from the pool as it came, less the leaked rows."""
    columns = context.measured(chosen.raw, TOKENS, "compare")
    leaked = leaked_rows(context, chosen)
    columns = columns.take(np.flatnonzero([i not in leaked for i in columns.ids]))
    ids = tuple(_draw(columns, _same_budget(chosen, "random", own), seed)[0] for seed in seeds)
    return Arm("random_raw", "random, from the raw pool", "baseline", chosen.raw, ids, Cost())


def _full(chosen: Chosen, seeds: Sequence[int], epochs: float, lengths: Columns, own: Columns) -> Arm:
    """The whole cleaned pool for the same training tokens: as many distinct rows as those tokens pay for, seen once.

    Where they pay for more than the pool, it is seen more than once.
    """
    tokens = row_tokens(lengths)
    room = float(row_tokens(own).sum()) * epochs
    ids = []
    for seed in seeds:
        order = np.random.default_rng([seed, 104729]).permutation(len(tokens))
        ids.append(tuple(str(i) for i in lengths.ids[order[np.cumsum(tokens[order]) <= room]]))
    passes = max(1.0, room / max(float(tokens.sum()), 1.0))
    label = "full pool, same training tokens"
    return Arm("full", label, "baseline", chosen.before, tuple(ids), Cost(), epochs=passes)


def selecting_cost(context: Context, spec: Select, rows: Path, seconds: float) -> Cost:
    """Measuring the columns that the selection reads, whenever that happened, and ranking."""
    ids = read_rows(rows, ["id"])["id"].combine_chunks()
    measuring = measuring_cost(context, spec.needs(), ids, spec.signal_parameters())
    return replace(measuring, seconds=round(measuring.seconds + seconds, 3))


def leaked_rows(context: Context, chosen: Chosen) -> set[str]:
    """Rows of the raw pool that the recipe's decontamination turns away.

    What it decided in the run is not enough: a leak's copies may have gone before, as copies.
    """
    return set[str]().union(*(guard.turned_away(context, chosen.raw, "compare") for guard in chosen.guards))
