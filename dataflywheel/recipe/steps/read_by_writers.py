"""What a method that writes may read besides its seeds: measured columns of theirs, and the last evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from dataflywheel import catalog
from dataflywheel.contracts import Columns, UsageError, method_spec
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.rows_out import write_scalars
from dataflywheel.recipe.steps.state import State

TOLD = ("metric", "better", "overall", "slices")
"""What a method hears of an evaluation."""


def columns_read(by: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Columns that the method reads of its seeds, as its parameters ask for."""
    kind = catalog.get(method_spec(by)[0], Proposer)
    if kind.needs is Proposer.needs:
        return ()
    field = kind.model_fields.get("model")
    stand_in = {"model": ModelSpec(builtin="tiny")} if field is not None and field.is_required() else {}
    return catalog.made(by, Proposer, stand_in).needs()


def check_reading(title: str, kind: type[Proposer], recipe: Recipe) -> None:
    """Raises UsageError: it reads the last evaluation, and there is none that may steer."""
    if kind.reads_evaluation and recipe.rounds == 1:
        raise UsageError(
            f"{title}: {kind.name} reads the last evaluation, and only a wheel has rows that may steer; write "
            "`rounds: 2` or more, with `feedback`"
        )


def steering(kind: type[Proposer], state: State) -> Mapping[str, Any] | None:
    """What the last evaluation said of the steering tier, for a method that reads it; the tiers that choose the model
    and are reported are nobody's to write by."""
    if not kind.reads_evaluation or state.evaluation is None or state.tiers is None:
        return None
    told = state.evaluation["tiers"]["steer"]
    return {name: told[name] for name in TOLD if name in told}


def evaluation_digest(kind: type[Proposer], state: State) -> list[str]:
    """Of the evaluation that a method reads: part of its step's fingerprint."""
    return [digest("evaluation@1", orjson.dumps(steering(kind, state)).decode())] if kind.reads_evaluation else []


def measured(context: Context, rows: Path, names: Sequence[str], title: str) -> Columns | None:
    """The columns of a directory of rows that are written from; None where none is read."""
    return context.measured(rows, names, title) if names else None


def leave_columns(directory: Path, context: Context, rows: Path, names: Sequence[str], title: str) -> None:
    """What was read of the rows that came, beside the decisions on them, for `why` and the report."""
    if signals_of(names):
        write_scalars(directory / "columns.parquet", context.measured(rows, names, title))
