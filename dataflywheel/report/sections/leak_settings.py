"""What looser and stricter settings of a decontamination would have done."""

from __future__ import annotations

from dataflywheel.report.drawing.markup import details, esc, table
from dataflywheel.report.drawing.numbers import count
from dataflywheel.report.rundir import Step


def leak_settings(step: Step) -> str:
    """A folded table of the rows that other settings would drop; nothing where the step has counted none."""
    settings = step.details.get("settings") or []
    if not settings:
        return ""
    lines = [
        [esc(entry["setting"]), count(entry["rows"]), count(entry["kept_now"]), count(entry["let_through"])]
        for entry in settings
    ]
    head = [
        "a row goes that holds, of one target text",
        "rows",
        "of these kept here",
        "dropped here, let through by it",
    ]
    caption = "What looser and stricter settings would let through"
    return details(caption, table(caption, head, lines, numeric=(1, 2, 3)))
