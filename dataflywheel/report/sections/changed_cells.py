"""Cells of tables that a step changed: by column and reason, with an example of each."""

from __future__ import annotations

import json
from typing import Any

from dataflywheel.report.drawing.markup import esc, table
from dataflywheel.report.drawing.numbers import count, percent
from dataflywheel.report.rundir import Step

HEAD = ("column", "why", "cells", "least confidence", "before", "after")


def changed_cells(step: Step) -> str:
    """A table of a step's changes, most first; nothing for a step that changes no cells."""
    found: list[dict[str, Any]] = step.details.get("cells") or []
    if not found:
        return ""
    rows = [
        [
            esc(one["column"]), esc(one["reason"]), esc(count(one["cells"])), esc(percent(one["least_confidence"])),
            esc(_shown(one["before"])), esc(_shown(one["after"])),
        ]
        for one in found
    ]  # fmt: skip
    caption = f"Changed cells: round {step.round}, {step.name} by {step.details.get('by')}; the examples are the first"
    return table(caption, HEAD, rows, numeric=(2, 3), css="stack")


def _shown(value: Any) -> str:
    return "empty" if value in (None, "") else value if isinstance(value, str) else json.dumps(value)
