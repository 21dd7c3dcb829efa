"""Rows that a step changes: what a cleaner makes of them, under which id, which of them become one, and what they
weigh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from dataflywheel.contracts import Cleaner, Decisions, FlywheelError
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import row_id
from dataflywheel.rows.parts import iter_among
from dataflywheel.rows.schema import Row
from dataflywheel.rows.weights import weighed

CONTENT = frozenset({"messages", "rejected", "tools", "label", "media", "cells"})
"""Columns that a cleaner may change: all that a row's id follows from."""
NO_CHANGE = "nothing to change"


@dataclass(frozen=True)
class Changes:
    """How rows differ from what they were when they are written."""

    cleaner: Cleaner | None = None
    ids: frozenset[str] = frozenset()
    """Rows that become others."""
    copies: Mapping[str, int] = field(default_factory=dict)
    """How many further copies a row stands for, by the id that it came with."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """How much a row counts where it is learned, by its id; multiplied with its own weight where it has one."""

    def made(self, rows: pa.Table) -> pa.Table:
        """The rows as they are written; tables that nothing is done to are not looked into."""
        if self.weights:
            rows = weighed(rows, self.weights)
        ids = rows["id"].to_pylist() if self.cleaner is not None else []
        if self.ids.isdisjoint(ids) and self.copies.keys().isdisjoint(ids):
            return rows
        return build([self._made(row) for row in rows.to_pylist()])

    def _made(self, row: Row) -> Row:
        assert self.cleaner is not None
        found = changed(self.cleaner, row) if row["id"] in self.ids else row
        return {**found, "copies": row["copies"] + self.copies.get(row["id"], 0)}


AS_THEY_ARE = Changes()


def settled(cleaner: Cleaner, rows: Path, decisions: Decisions) -> Changes:
    """What becomes of the rows whose decision is `changed`; enters in `decisions` what they became.

    Rows that become the same are one row with all their copies, and the decisions on the others say which it is: the
    kept row where one is the same already, else the one with the smallest id. A row of which nothing differs is kept.

    Raises:
        FlywheelError: the cleaner gives what is no row.
    """
    places = {id: i for i, id in enumerate(decisions.ids) if decisions.action[i] == "changed"}
    if not places:
        return AS_THEY_ARE
    became: dict[str, list[str]] = {}
    counted: dict[str, int] = {}
    for batch in iter_among(rows, pa.array(list(places), pa.string())):
        for row in batch.to_pylist():
            counted[row["id"]] = row["copies"]
            became.setdefault(changed(cleaner, row)["id"], []).append(row["id"])
    there = {
        id for id, action in zip(decisions.ids, decisions.action, strict=True) if action == "kept" and id in became
    }
    ids, copies = set(), dict[str, int]()
    for new, old in became.items():
        if new in old:  # nothing differs in one of them: it stays, and is what the others become
            decisions.action[places[new]], decisions.reason[places[new]] = "kept", NO_CHANGE
        first = new if new in old or new in there else min(old)
        for id in old:
            at = places[id]
            if id == new:
                continue
            decisions.other[at] = new
            if id == first:
                ids.add(id)
                continue
            decisions.action[at] = "dropped"
            decisions.reason[at] = f"identical to another row once changed: {decisions.reason[at]}"
            copies[first] = copies.get(first, 0) + counted[id]
    return Changes(cleaner, frozenset(ids), copies)


def changed(cleaner: Cleaner, row: Row) -> Row:
    """The row as the cleaner changes it, with its id and lineage; `row` itself where nothing differs.

    Raises:
        FlywheelError: the cleaner gives columns that it may not change, or what is no row.
    """
    new = cleaner.change(row)
    if foreign := sorted(new.keys() - CONTENT):
        raise FlywheelError(
            f"{cleaner.name} changes {', '.join(foreign)} of row {row['id']}; a cleaner may change "
            f"{', '.join(sorted(CONTENT))}"
        )
    made: Row = {**row, **new}  # type: ignore[typeddict-item]  # what is no row is told of below
    try:
        content = made["messages"], made["rejected"], made["tools"], made["label"], made["media"], made["cells"]
        made["id"] = row_id(*content)
    except (TypeError, KeyError, ValueError) as error:
        raise FlywheelError(f"{cleaner.name} makes no row of row {row['id']}: {error}") from None
    if made["id"] == row["id"]:
        return row
    return {**made, "parents": [row["id"]], "made_by": cleaner.name}
