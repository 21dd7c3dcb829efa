"""What a model makes of evaluation rows that were written anew, beside the rows as they were."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import count, finite, interval
from dataflywheel.report.verdict import metric_name

CAPTION = "Evaluation rows as they were, and their verified variants"


def renewed(found: dict[str, Any]) -> str:
    """A line for each way of renewing, from what an evaluation found; nothing where no row was renewed."""
    told: dict[str, dict[str, Any]] = found.get("renewed") or {}
    if not told:
        return ""
    overall = found.get("overall") or {}
    rows = [["as they were", _interval(overall), esc(count(overall.get("n"))), "", ""]]
    for name, entry in told.items():
        one, change = entry.get("overall") or {}, entry.get("change") or {}
        shown = esc(interval(change.get("value"), change.get("low"), change.get("high"), signed=True))
        rows.append(
            [esc(name), _interval(one), esc(count(one.get("n", 0))), shown if change else "", esc(_word(change))]
        )
    head = ["rows", metric_name(found.get("metric", "score")), "scored", "better by, on the same questions", "in words"]
    said = "What was learned by heart is lost on a variant. Differences are of variants and their own rows, paired."
    return table(CAPTION, head, rows, numeric=(1, 2, 3), css="stack") + note(said)


def _interval(entry: dict[str, Any]) -> str:
    return esc(interval(entry.get("value"), entry.get("low"), entry.get("high"))) if entry else ""


def _word(change: dict[str, Any]) -> str:
    low, high = finite(change.get("low")), finite(change.get("high"))
    if low is None or high is None:
        return "not decided"
    return "worse on the variants" if high < 0 else "better on the variants" if low > 0 else "no difference shown"
