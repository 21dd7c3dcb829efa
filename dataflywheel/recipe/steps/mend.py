"""The step `mend`: cells of tables are repaired and filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dataflywheel.contracts import UsageError
from dataflywheel.proposing.kinds import Gate, Proposal, Proposer
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.enhance import Enhance, Enhancing
from dataflywheel.recipe.steps.step import Given
from dataflywheel.recipe.steps.writing import Written
from dataflywheel.rows.reading import split_format
from dataflywheel.rows.schema import Row
from dataflywheel.store.record import StepRecord


class Mend(Enhance):
    """Changes cells of rows that come from tables (`pool: {path: FILE, format: table}`); every other cell stays.

    Each changed cell is told with its row: the column, what stood there, what stands there now, why, and how sure that
    is. Rows without cells stay as they are.
    """


@dataclass(frozen=True)
class Mending(Enhancing, keyword="mend"):
    """One method on all rows with cells, or on those within bounds."""

    Work = Mend
    mends: ClassVar[bool] = True

    work: Mend

    def write(self, given: Given, proposer: Proposer, gates: list[Gate], table: list[Row]) -> Written:
        written = super().write(given, proposer, gates, table)
        return written._replace(facts={**written.facts, "cells": changed_cells(written.done.accepted)})

    def note(self, record: StepRecord) -> str:
        changes = record.details.get("cells")
        if changes is None:
            return super().note(record)
        cells = sum(one["cells"] for one in changes)
        rows = record.details["funnel"]["accepted"]
        most = max(changes, key=lambda one: one["cells"], default=None)
        why = f"; most often in {most['column']}: {most['reason']} ({most['cells']:,})" if most else ""
        told = matching_told(record.details.get("matching") or {})
        return f"{cells:,} cells of {rows:,} rows changed, of {record.rows_in:,} rows{why}{told}"

    def check_place(self, recipe: Recipe) -> None:
        shapes = [split_format(source.format)[1] for source in recipe.pool]
        others = [shape for shape in shapes if shape not in ("table", "canonical", None)]
        if others and len(others) == len(recipe.pool):
            raise UsageError(
                f"{self.title}: mends the cells of tables, and the pool is read as {', '.join(others)}; "
                "say `format: table` of sources that are tables"
            )

    def unread(self, recipe: Recipe) -> list[str]:
        tables = [source for source in recipe.pool if split_format(source.format)[1] == "table"]
        found = super().unread(recipe)
        if not tables:
            found.append(f"{self.title}: no source says `format: table`; rows that hold no cells stay as they are")
        return found


def matching_told(facts: Mapping[str, Any]) -> str:
    """Of two tables that were matched, what was compared, and how it was decided; "" of others."""
    if not facts:
        return ""
    found = facts.get("blocking")
    blocking = f", {found['found']:,} of {found['matches']:,} labelled matches among them" if found else ""
    score = "no threshold" if facts["threshold"] is None else f"threshold {facts['threshold']:.2f}"
    asked = f", {facts['asked']:,} pairs asked of a model" if "asked" in facts else ""
    first, second = facts["rows"]
    return f"; {facts['pairs']:,} of {first * second:,} pairs compared{blocking}; {score} by {facts['by']}{asked}"


def changed_cells(accepted: Sequence[Proposal]) -> list[dict[str, Any]]:
    """Changes of cells by column and reason: how many, how sure the least sure one is, and one of them."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for proposal in accepted:
        for one in proposal.facts.get("cells", ()):
            found.setdefault((one["column"], one["reason"]), []).append(one)
    told = [
        {
            "column": column,
            "reason": reason,
            "cells": len(changes),
            "least_confidence": min(one["confidence"] for one in changes),
            "before": changes[0]["before"],
            "after": changes[0]["after"],
        }
        for (column, reason), changes in found.items()
    ]
    return sorted(told, key=lambda one: -one["cells"])
