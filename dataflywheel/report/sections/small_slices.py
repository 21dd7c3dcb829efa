"""Slices with too few rows for a number of their own: which, how many, and where the limit is."""

from __future__ import annotations

from collections import Counter

from dataflywheel.report.drawing.markup import clip, note
from dataflywheel.report.drawing.numbers import count, plural
from dataflywheel.report.rundir import Step
from dataflywheel.report.sections.answers import pair_of

NAMED = 8
LEAST = 20
"""Rows of a slice, below which it is one of `other`, where a step does not say."""


def small_slices(step: Step) -> str:
    """What stands behind `other`; nothing where no slice was small."""
    pair = pair_of(step) if "other" in (step.details.get("slices") or {}) else None
    if pair is None:
        return ""
    least = int(step.params.get("smallest_slice") or LEAST)
    small = [(name, rows) for name, rows in Counter(map(str, pair.trained.slices)).most_common() if rows < least]
    if not small:
        return ""
    named = ", ".join(f"{clip(name or 'no slice', 40)} ({count(rows)})" for name, rows in small[:NAMED])
    more = f" and {count(len(small) - NAMED)} more" if len(small) > NAMED else ""
    return note(
        f"other: {plural(len(small), 'slice')} of fewer than {count(least)} rows, "
        f"{plural(sum(rows for _, rows in small), 'row')} together, since an interval over so few says nothing: "
        f"{named}{more}. evaluate: {{smallest_slice: N}} sets the limit."
    )
