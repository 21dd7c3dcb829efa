"""Columns that a step compares as numbers are numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from dataflywheel.contracts import Signal, UsageError
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step

BOUNDED = ("bounds", "quantiles", "where")
"""Parameters that are bounds by column."""
RANKED = ("score", "gap", "keep")
"""Parameters that may name a column to rank by."""


def check_numbers(recipe: Recipe, step: Step) -> None:
    """
    Raises:
        UsageError: the step bounds or ranks by a column of texts; nothing was measured or paid yet.
    """
    for parameter, column in _compared(step.parameters()):
        if column in step.needs() and _is_text(recipe, column):
            way_out = f"`filter: {{equals: {{{column}: [...]}}}}` keeps rows by a text"
            raise UsageError(f"{step.place}: {parameter}: {column!r} holds texts, which are no numbers; {way_out}")


def _compared(given: Any) -> Iterator[tuple[str, str]]:
    """Parameter and column, of all within these that are bounded or ranked by."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            if name in BOUNDED and isinstance(value, Mapping):
                yield from ((name, str(column)) for column in value)
            elif name in RANKED and isinstance(value, str):
                yield name, value
            else:
                yield from _compared(value)
    elif isinstance(given, list):
        for one in given:
            yield from _compared(one)


def _is_text(recipe: Recipe, need: str) -> bool:
    """Whether a column holds texts, or lists of them; columns that are not there are another check's."""
    name, _, column = need.partition(".")
    if name == "row":
        return column in ("source", "tags", "text", "prompt", "answer")
    try:
        asked = asked_signal(recipe.signals, name)
        kind = asked.kind.columns_by(asked.given).get(column) if issubclass(asked.kind, Signal) else None
    except (UsageError, ValueError):
        return False
    if column == "error":
        return True
    inner = kind.value_type if kind is not None and pa.types.is_list(kind) else kind
    return inner is not None and pa.types.is_string(inner)
