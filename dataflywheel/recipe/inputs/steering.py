"""What a recipe gives to samplers that ask for more than rows: columns of them, and losses on rows of the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost, PoolStatistics, Sampler, UsageError
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.recipe.context import CHARS_PER_TOKEN, Context
from dataflywheel.recipe.inputs.ingest import slice_of, slices_by_id
from dataflywheel.recipe.inputs.slicing import slice_column
from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.inputs.target_rows import MOST
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.selection.order import SLICE


def steering(context: Context, sampler: Sampler) -> tuple[Path, tuple[str, ...]] | None:
    """The rows of the target that may guide a training, and the slice of each; None where the sampler asks for none."""
    if not sampler.validates:
        return None
    assert context.guide is not None, "the plan refuses a sampler that asks for validation losses without a target"
    return context.guide, tuple(slices_by_id(context, context.guide).values())


def told(context: Context, teaching: TrainingSetup, rows: Path, title: str) -> TrainingSetup:
    """The teaching with the columns of these rows that its sampler reads."""
    names = teaching.sampler.needs() if teaching.sampler is not None else ()
    if not names:
        return teaching
    found = context.measured(rows, names, title)
    if SLICE in names:
        found.values[SLICE] = slice_column(context, rows, found.ids)
    ids = [str(id) for id in found.ids]
    return replace(teaching, columns={name: dict(zip(ids, found[name], strict=True)) for name in names})


def check_validating(sampler: Sampler, recipe: Recipe) -> None:
    """Raises UsageError: it asks for validation losses, and there is no target, or none that it can use."""
    if not sampler.validates:
        return
    if not recipe.target:
        raise UsageError(
            f"{sampler.name} follows losses on the target's slices; name evaluation rows under `target:`, and what "
            "divides them, such as `slice: tag`"
        )
    sampler.check(sorted(_sizes(recipe)))


def asked_cost(sampler: Sampler, recipe: Recipe, pool: PoolStatistics, steps: int, batch: int, speed: float) -> Cost:
    """What the sampler asks for beside a training of so many steps: short trainings, and passes over target rows."""
    if not sampler.validates:
        return Cost()
    sizes = _sizes(recipe)
    asks = sampler.asks(len(sizes), steps)
    guides = recipe.tiers.shares()["steer"] if any("evaluate" in step for step in recipe.steps) else 1.0
    slices = [name for name, (rows, _) in sizes.items() for _ in range(max(1, round(guides * rows)))]
    ids = [f"{place:09d}" for place in range(len(slices))]
    read = len(sampler.validated(ids, slices)) * asks.validations
    chars = sum(chars for _, chars in sizes.values()) / max(1, sum(rows for rows, _ in sizes.values()))
    told = int(read * chars / CHARS_PER_TOKEN)
    rows = min(batch, max(1, pool.rows)) * asks.steps
    learned = int(rows * pool.tokens / max(1, pool.rows))
    student = recipe.models.student
    seconds = model_seconds(student, 6, learned, speed) + model_seconds(student, 2, told, speed)
    return Cost(seconds=round(seconds, 2), forward=rows + read, backward=rows, tokens=learned + told)


def _sizes(recipe: Recipe) -> dict[str, tuple[int, int]]:
    """Rows and characters of each slice of the target, of the first `MOST` rows of each entry."""
    rows, chars = Counter[str](), Counter[str]()
    for given in inputs(recipe.target):
        for row in islice((row for parsed in iter_parsed(given) for row in parsed.rows), MOST):
            name = slice_of(recipe.target, row["source"], row["tags"], row["extra"])
            rows[name] += 1
            chars[name] += _chars(row["messages"])
    return {name: (rows[name], chars[name]) for name in rows}


def _chars(messages: Sequence[Any]) -> int:
    return sum(len(turn["content"] or "") for turn in messages)
