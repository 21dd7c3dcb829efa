"""Lines over steps as inline SVG: losses of trainings, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.report.drawing.charts import Scale, svg, ticks
from dataflywheel.report.drawing.markup import clip, esc
from dataflywheel.report.drawing.numbers import aligned

TOP, BOTTOM = 12, 192
LEFT = 9.0
"""Percent of the width that the numbers of the upright axis take."""
RIGHT = 72.0
"""Percent of the width where lines end; their names stand beside them."""
DRAWN = 160
"""Points of a line, at most: means of the steps between."""


@dataclass(frozen=True)
class Line:
    """What was measured at some steps, (n,) each."""

    label: str
    steps: FloatArray
    values: FloatArray


def line_chart(
    key: str, title: str, description: str, lines: Sequence[Line], axis_name: str, *, whole: bool = False
) -> str:
    """Steps to the right, values upwards; the first line stands out, the others are grey. `whole` steps are few and
    counted, such as rounds: each is marked."""
    drawn = [(line, *thinned(line.steps, line.values)) for line in lines]
    every = np.concatenate([values for _, _, values in drawn])
    margin = float(every.max() - every.min()) * 0.06 or 0.5
    low, high = float(every.min()) - margin, float(every.max()) + margin
    last = max(2.0, *(float(line.steps[-1]) for line in lines))
    across = Scale(1, last)

    def x(step: float) -> float:
        return round(LEFT + across(step) * (RIGHT - LEFT) / 100, 2)

    def y(value: float) -> float:
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)

    marks = ticks(low, high)
    parts = []
    for value, text in zip(marks, aligned(marks), strict=True):
        parts.append(f'<line class="grid" x1="{LEFT}%" x2="{RIGHT}%" y1="{y(value)}" y2="{y(value)}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 1}%" y="{y(value) + 4}" text-anchor="end">{esc(text)}</text>')
    parts += [
        f'<text class="tick" x="{x(step)}%" y="{BOTTOM + 18}" text-anchor="middle">{step:,.0f}</text>'
        for step in (range(1, round(last) + 1) if whole and last <= 20 else across.ticks())
    ]
    heights = apart([y(float(values[-1])) for _, _, values in drawn])
    for number, (line, steps, values) in reversed(list(enumerate(drawn))):
        kind = "fit" if number == 0 else "thin"
        for (a, b), (c, d) in pairwise(zip(steps, values, strict=True)):
            parts.append(f'<line class="{kind}" x1="{x(a)}%" y1="{y(b)}" x2="{x(c)}%" y2="{y(d)}"/>')
        if whole:
            css = "ours" if number == 0 else "baseline"
            dots = "".join(
                f'<circle class="dot" cx="{x(a)}%" cy="{y(b)}" r="4"/>' for a, b in zip(steps, values, strict=True)
            )
            parts.append(f'<g class="{css}">{dots}</g>')
        bold = " label" if number == 0 else ""
        place = f'x="{RIGHT + 1.5}%" y="{heights[number] + 4:.1f}"'
        parts.append(f'<text class="tick halo{bold}" {place}>{esc(clip(line.label, 16))}</text>')
    middle = f'x="{(LEFT + RIGHT) / 2}%" y="{BOTTOM + 38}" text-anchor="middle"'
    parts.append(f'<text class="tick" {middle}>{esc(axis_name)}</text>')
    return svg(key, title, description, BOTTOM + 44, "".join(parts))


def apart(heights: Sequence[float], least: float = 14.0) -> list[float]:
    """Heights of labels, moved down from the top until none covers another.

    >>> apart([10.0, 12.0, 60.0])
    [10.0, 24.0, 60.0]
    """
    found, before = list(heights), -least
    for place in sorted(range(len(heights)), key=lambda i: heights[i]):
        before = found[place] = max(heights[place], before + least)
    return found


def thinned(steps: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """At most `DRAWN` points of a line: the means of as many stretches of equal length.

    >>> thinned(np.array([1, 2]), np.array([4.0, 2.0]))
    (array([1., 2.]), array([4., 2.]))
    """
    parts = np.array_split(np.arange(len(values)), min(DRAWN, len(values)))
    return np.array([steps[part].mean() for part in parts]), np.array([values[part].mean() for part in parts])
