"""The next rows: what as many rows again would be worth by the learning curve, and what they would cost."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.curve_chart import Point, curve_chart
from dataflywheel.report.drawing.markup import esc, note, section
from dataflywheel.report.drawing.numbers import aligned, count
from dataflywheel.report.rundir import Run
from dataflywheel.report.verdict import metric_name


def next_rows(run: Run) -> str:
    """The section, or nothing where no curve was asked for."""
    compare = run.compare or {}
    found: dict[str, Any] = compare.get("curve") or {}
    if not found:
        return ""
    if found.get("failure"):
        return section("next", "The next rows", note(f"Not measured: {found['failure']}."))
    lead = esc(f"{found['said']}.")
    return section("next", "The next rows", _figure(compare, found), lead)


def _figure(compare: dict[str, Any], found: dict[str, Any]) -> str:
    points = [Point(p["rows"], p["mean"], p["low"], p["high"], p["scores"]) for p in found["points"]]
    ahead, turn = found["next"], 1 if compare.get("better") == "lower" else -1
    here = ahead["value"] + turn * ahead["gain"]
    ends = sorted(here - turn * ahead[name] for name in ("low", "high"))
    foretold = Point(2 * ahead["rows"], ahead["value"], *ends)
    every = [*points, foretold]
    texts = aligned([point.value for point in every])
    described = "; ".join(f"{count(point.rows)} rows: {text}" for point, text in zip(every, texts, strict=True))
    metric = metric_name(compare.get("metric"))
    title = f"{metric} by the number of rows"
    fitted = [(float(rows), float(value)) for rows, value in found["fitted"]]
    axis = f"rows that are trained on; {metric}, {compare.get('better')} is better"
    chart = curve_chart("next", title, described, points, foretold, fitted, axis)
    caption = (
        "Nested parts of the final rows, each seen as often: mean and 95% interval, small dots are single seeds. "
        "Dashed and hollow is what the curve says of twice as many rows, with its 90% interval."
    )
    return f'<figure class="story"><figcaption><b>{esc(title)}</b> {esc(caption)}</figcaption>{chart}</figure>'
