"""The arms of a comparison: which rows each trains on, for every seed, at the cost of the recipe's own selection."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import Columns, Cost, method_specs
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.bill import measuring_cost
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.comparing.reading import Read, passes
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.planning.named_arms import selection_of_arm
from dataflywheel.recipe.steps.select import with_target
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.combine import select_rows, weights_by_id
from dataflywheel.selection.spec import TOKENS, Select

LABELS = {
    "random": "random, from the same cleaned rows",
    "one_round": "one round, without feedback",
}


@dataclass(frozen=True)
class Arm:
    """Rows to train on, one list of ids a seed."""

    name: str
    label: str
    role: str
    rows: Path
    ids: tuple[tuple[str, ...], ...]
    select_cost: Cost
    epochs: float | None = None
    """Passes over the rows, where they are not the recipe's: then they stand for its `max_steps` too."""
    weights: tuple[Mapping[str, float] | None, ...] = ()
    """How much the rows count, one mapping by id for each seed, times what they have themselves; empty: as they are."""
    shares: tuple[float, ...] = ()
    """Examples over those of the recipe's own rows, by seed; empty: as many. A fixed number of steps is cut or
    lengthened alike, so that all rows are seen as often."""


@dataclass(frozen=True)
class Field:
    """What every arm is measured by: the recipe's own rows and what one training reads of them."""

    chosen: Chosen
    own: Columns
    read: Read
    settings: TrainSettings
    equal: Literal["tokens", "rows"]

    @property
    def tokens(self) -> int:
        """Of one pass over the recipe's own rows."""
        return self.read(self.chosen.trained).read(self.chosen.selected)

    @property
    def examples(self) -> int:
        return self.read(self.chosen.trained).learned(self.chosen.selected)

    def shares(self, rows: Path, ids: Sequence[Sequence[str]]) -> tuple[float, ...]:
        if self.settings.max_steps is None or self.equal == "rows":
            return ()
        return tuple(self.read(rows).learned(some) / max(1, self.examples) for some in ids)


def build_arms(
    context: Context, chosen: Chosen, seeds: Sequence[int], settings: TrainSettings, read: Read
) -> list[Arm]:
    """The recipe's selection first, then what `compare` names. Every arm gets rows until the training reads as many
    tokens of them as of the recipe's own; or as many rows, where `equal: rows` says so.

    Raises:
        UsageError: an arm is no selector, nor one of `random_raw`, `full` and `one_round`.
    """
    assert context.recipe.compare is not None
    # An arm is chosen once, before any training. What followed the model in training was measured in the rounds.
    plan, context, select = context.recipe.compare, context.before_training(), chosen.select
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
    field = Field(chosen, context.measured(chosen.trained, TOKENS, "compare"), read, settings, plan.equal)
    return [own, *(_arm(context, field, seeds, entry) for entry in plan.arms)]


def _arm(context: Context, field: Field, seeds: Sequence[int], entry: str | dict[str, Any]) -> Arm:
    (name, parameters), chosen = method_specs(entry)[0], field.chosen
    if name == "random_raw":
        return _random_raw(context, field, seeds)
    if name == "full":
        return _full(field, seeds)
    by: Any = entry
    if name == "length_matched_random" and isinstance(entry, str):
        by = {name: {"lengths": [int(n) for n in field.own["text.tokens_answer"]]}}
    spec = _same_budget(field, by)
    if name == "one_round":
        spec = chosen.select.at_first().model_copy(update={"keep": spec.keep})
    columns = context.measured(chosen.before, (*spec.needs(), *TOKENS), "compare", spec.signal_parameters())
    columns = with_target(context, spec, columns, "compare")
    began = time.perf_counter()
    draws = seeds[:1] if spec.deterministic else seeds
    drawn = [_draw(field, chosen.before, columns, spec, seed) for seed in draws]
    seconds = (time.perf_counter() - began) / len(draws)
    drawn = drawn * len(seeds) if spec.deterministic else drawn
    ids, weights = tuple(ids for ids, _ in drawn), tuple(weights for _, weights in drawn)
    cost = selecting_cost(context, spec, chosen.before, seconds)
    role = (
        "baseline" if name in ("random", "longest", "length_matched_random", "source_balanced_random") else "selection"
    )
    chosen_by = name if not parameters else f"{name} {parameters}"
    label = LABELS.get(chosen_by, chosen_by.replace("_", " "))
    shares = field.shares(chosen.before, ids)
    return Arm(chosen_by, label, role, chosen.before, ids, cost, weights=weights, shares=shares)


def _draw(
    field: Field, rows: Path, columns: Columns, spec: Select, seed: int
) -> tuple[tuple[str, ...], Mapping[str, float] | None]:
    """Ids of the rows that a selection keeps, and how much each counts where they do not count alike."""
    tokens = None
    if field.equal == "tokens":  # what teaches nothing costs nothing, and takes no place
        held = field.read(rows).tokens
        tokens = np.array([held.get(str(id), 0) for id in columns.ids], dtype=np.int64)
        columns, tokens = columns.take(np.flatnonzero(tokens)), tokens[tokens > 0]
    selection, _ = select_rows(columns, spec, np.random.default_rng([seed, 7919]), tokens)
    return tuple(str(i) for i in columns.ids[selection.order]), weights_by_id(columns, selection)


def _same_budget(field: Field, by: Any) -> Select:
    """A selection for which the training reads as many tokens as for the recipe's own rows, or of as many rows."""
    by = "random" if by == "one_round" else by
    if field.equal == "rows":
        return selection_of_arm(by, len(field.chosen.selected))
    return selection_of_arm(by, f"{field.tokens} tokens")


def _random_raw(context: Context, field: Field, seeds: Sequence[int]) -> Arm:
    """Random choice as one would make it without this system: from the pool as it came, less the leaked rows."""
    chosen = field.chosen
    columns = context.measured(chosen.raw, TOKENS, "compare")
    leaked = leaked_rows(context, chosen)
    columns = columns.take(np.flatnonzero([i not in leaked for i in columns.ids]))
    spec = _same_budget(field, "random")
    ids = tuple(_draw(field, chosen.raw, columns, spec, seed)[0] for seed in seeds)
    shares = field.shares(chosen.raw, ids)
    return Arm("random_raw", "random, from the raw pool", "baseline", chosen.raw, ids, Cost(), shares=shares)


def _full(field: Field, seeds: Sequence[int]) -> Arm:
    """The whole cleaned pool for the same training tokens: as many distinct rows as those tokens pay for, seen once.

    Where they pay for more than the pool, it is seen more than once.
    """
    rows = field.chosen.before
    held = field.read(rows).tokens
    every = np.array(list(held))
    tokens = np.array(list(held.values()), dtype=np.int64)
    room = field.tokens * passes(field.settings, field.examples)
    ids = []
    for seed in seeds:
        order = np.random.default_rng([seed, 104729]).permutation(len(tokens))
        ids.append(tuple(every[order[np.cumsum(tokens[order]) <= room]].tolist()))
    times = max(1.0, room / max(float(tokens.sum()), 1.0))
    label = "full pool, same training tokens"
    return Arm("full", label, "baseline", rows, tuple(ids), Cost(), epochs=times)


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
