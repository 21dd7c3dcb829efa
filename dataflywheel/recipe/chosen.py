"""Where the arms of a comparison draw from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from dataflywheel.contracts import Cost
from dataflywheel.recipe.context import Context
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.spec import Select


class Guard(Protocol):
    """What keeps evaluation rows out of what is learned."""

    def turned_away(self, context: Context, rows: Path, title: str) -> set[str]:
        """Ids of the rows of a directory that it would drop."""


@dataclass(frozen=True)
class Chosen:
    """The rows before the selection, the raw pool, the selection itself, and what is trained on.

    `guards` are the recipe's decontaminations, which the raw pool passes too; `ranking_seconds` the selection's own.
    """

    before: Path
    raw: Path
    guards: tuple[Guard, ...]
    trained: Path
    """The rows that the recipe trains on: the selected ones, with what was changed and added since."""
    select: Select
    ranking_seconds: float = 0.0
    followed: Cost = field(default_factory=Cost)
    """What measuring with the model in training cost, in all rounds together, and the model of a warm-up."""
    label: str = ""
    """What the recipe did, where it was more than one selection."""

    @cached_property
    def selected(self) -> tuple[str, ...]:
        """Ids of the rows that are trained on, in their order."""
        return tuple(read_rows(self.trained, ["id"])["id"].to_pylist())
