"""A learning curve as inline SVG: points with intervals, the fitted curve, and the next doubling that it tells of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dataflywheel.report.drawing.charts import Scale, svg, ticks
from dataflywheel.report.drawing.markup import esc
from dataflywheel.report.drawing.numbers import aligned, count

TOP, BOTTOM = 12, 212
LEFT = 9.0
"""Percent of the width that the numbers of the upright axis take."""


@dataclass(frozen=True)
class Point:
    """A mean at a number of rows, with its interval and the measurements behind it (none where it is foretold)."""

    rows: float
    value: float
    low: float
    high: float
    scores: Sequence[float] = ()


def curve_chart(
    key: str,
    title: str,
    description: str,
    points: Sequence[Point],
    ahead: Point,
    fitted: Sequence[tuple[float, float]],
    axis_name: str,
) -> str:
    """Rows to the right on a log scale, the metric upwards; what is foretold is drawn hollow and dashed."""
    every = [*points, ahead]
    values = [v for p in every for v in (p.low, p.high, p.value, *p.scores)] + [value for _, value in fitted]
    margin = (max(values) - min(values)) * 0.06 or 0.5
    low, high = min(values) - margin, max(values) + margin
    across = Scale(min(p.rows for p in every), max(p.rows for p in every), log=True)

    def x(rows: float) -> float:
        return round(LEFT + across(rows) * (98 - LEFT) / 100, 2)

    def y(value: float) -> float:
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)

    marks = ticks(low, high)
    parts = [
        f'<line class="grid" x1="{LEFT}%" x2="100%" y1="{y(mark)}" y2="{y(mark)}"/>'
        f'<text class="tick" x="0" y="{y(mark) + 4}">{esc(text)}</text>'
        for mark, text in zip(marks, aligned(marks), strict=True)
    ]
    for (from_, a), (to, b) in pairwise(fitted):
        css = "fit" if to <= points[-1].rows * 1.01 else "mark"
        parts.append(f'<line class="{css}" x1="{x(from_)}%" y1="{y(a)}" x2="{x(to)}%" y2="{y(b)}"/>')
    for point in every:
        at = x(point.rows)
        parts.append(f'<g class="{"ours" if point.scores else "random"}">')
        parts += [f'<circle class="seed" cx="{at}%" cy="{y(score)}" r="3"/>' for score in point.scores]
        parts.append(f'<line class="whisker" x1="{at}%" x2="{at}%" y1="{y(point.low)}" y2="{y(point.high)}"/>')
        parts.append(f'<circle class="dot" cx="{at}%" cy="{y(point.value)}" r="6"/></g>')
        anchor = "end" if at > 92 else "middle"
        parts.append(
            f'<text class="tick" x="{at}%" y="{BOTTOM + 18}" text-anchor="{anchor}">{count(point.rows)}</text>'
        )
    parts.append(f'<text class="tick" x="50%" y="{BOTTOM + 38}" text-anchor="middle">{esc(axis_name)}</text>')
    return svg(key, title, description, BOTTOM + 44, "".join(parts))
