"""What the line of a step says of rows and questions that came to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.store.record import StepRecord


def without_value(record: StepRecord) -> str:
    """What to say of rows about which a model gave no answer that could be read."""
    return "".join(
        f"; {one['signal']}: {one['rows']:,} of {one['of']:,} rows have no value; most often: {one['reason']}"
        f"{', as in the reply ' + one['reply'] if one.get('reply') else ''}"
        for one in record.details.get("without_value", [])
    )


def tried_again(record: StepRecord) -> str:
    """What to say of questions that another try may answer."""
    again = record.again
    return f"; the endpoint failed at {again:,}, which the same command tries again" if again else ""


def proposals_told(record: StepRecord, rewrites: bool) -> str:
    """What became of what a method wrote: `12 rows written of 18 proposals; lost most often: novelty, too similar (3)`.

    Where it rewrites: `2 of 69 rows rewritten; as it was most often: nothing to redact (60)`.
    """
    found = record.details["funnel"]
    if rewrites:
        said = f"{found['accepted']:,} of {record.rows_in:,} rows rewritten"
        said += f", {found['dropped']:,} dropped" if found["dropped"] else ""
    else:
        said = f"{found['accepted']:,} rows written of {found['proposed']:,} proposals, {record.rows_out:,} now"
    often = most_often(found)
    return f"{said}; {'as it was' if rewrites else 'lost'} most often: {often}" if often else said


def most_often(found: Mapping[str, Any]) -> str:
    """Why most proposals of a funnel were lost, with their number; "" where none was."""
    lost = [(f"{one['gate']}, {one['reason']}", one["rows"]) for one in found["rejections"]]
    lost += [(one["reason"], one["rows"]) for one in [*found["failures"], *found["left_as_they_were"]]]
    reason, rows = max(lost, key=lambda one: one[1], default=("", 0))
    return f"{reason} ({rows:,})" if rows else ""
