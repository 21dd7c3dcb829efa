"""Quality by slice over the rounds of a wheel, as one chart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dataflywheel.report.drawing.line_chart import Line, line_chart
from dataflywheel.report.drawing.markup import esc
from dataflywheel.report.drawing.numbers import aligned, finite
from dataflywheel.report.rundir import Run
from dataflywheel.report.verdict import metric_name

LINES = 8
"""Slices that are drawn, those that come first in the last round."""


def round_lines(run: Run) -> str:
    """A line for all rows and one for each slice; nothing where fewer than two rounds were evaluated."""
    steps = sorted(run.named("evaluate"), key=lambda step: step.round)
    if len({step.round for step in steps}) < 2:
        return ""
    found = {step.round: step.details for step in steps}
    rounds = np.array(sorted(found), dtype=np.float64)
    slices = list(found[max(found)].get("slices") or {})
    lines = [_line("all rows", rounds, [_value(found[r].get("overall")) for r in sorted(found)])]
    lines += [
        _line(name, rounds, [_value((found[r].get("slices") or {}).get(name)) for r in sorted(found)])
        for name in slices[:LINES]
    ]
    lines = [line for line in lines if len(line.steps) > 1]
    if not lines:
        return ""
    details = steps[-1].details
    metric, better = metric_name(details.get("metric", "score")), str(details.get("better", "lower"))
    told = [f"{line.label}: {' to '.join(aligned([line.values[0], line.values[-1]]))}" for line in lines]
    title = f"{metric} by slice over the rounds"
    chart = line_chart("rounds", title, "; ".join(told), lines, f"round; {metric}, {better} is better", whole=True)
    back = [str(one.round) for one in run.rounds if not one.kept]
    more = f" Taken back: round {', '.join(back)}." if back else ""
    left = f" {len(slices) - LINES} more slices are in the table above." if len(slices) > LINES else ""
    caption = f"<b>{esc(title)}</b> {esc(f'Intervals are in the table of the wheel.{more}{left}')}"
    return f'<figure class="story"><figcaption>{caption}</figcaption>{chart}</figure>'


def _line(label: str, rounds: np.ndarray, values: list[float]) -> Line:
    """A line through the rounds whose value is known."""
    held = np.array(values, dtype=np.float64)
    known = np.isfinite(held)
    return Line(label, rounds[known], held[known])


def _value(entry: dict[str, Any] | None) -> float:
    found = finite((entry or {}).get("value"))
    return math.nan if found is None else found
