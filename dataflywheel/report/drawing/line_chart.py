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
DRAWN = 160
"""Points of a line, at most: means of the steps between."""


@dataclass(frozen=True)
class Line:
    """What was measured at some steps, (n,) each."""

    label: str
    steps: FloatArray
    values: FloatArray


def line_chart(key: str, title: str, description: str, lines: Sequence[Line], axis_name: str) -> str:
    """Steps to the right, values upwards; the first line stands out, the others are grey."""
    drawn = [(line, *thinned(line.steps, line.values)) for line in lines]
    every = np.concatenate([values for _, _, values in drawn])
    margin = float(every.max() - every.min()) * 0.06 or 0.5
    low, high = float(every.min()) - margin, float(every.max()) + margin
    across = Scale(1, max(2.0, *(float(line.steps[-1]) for line in lines)))

    def x(step: float) -> float:
        return round(LEFT + across(step) * (98 - LEFT) / 100, 2)

    def y(value: float) -> float:
        return round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)

    marks = ticks(low, high)
    parts = []
    for value, text in zip(marks, aligned(marks), strict=True):
        parts.append(f'<line class="grid" x1="{LEFT}%" x2="98%" y1="{y(value)}" y2="{y(value)}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 1}%" y="{y(value) + 4}" text-anchor="end">{esc(text)}</text>')
    parts += [
        f'<text class="tick" x="{x(step)}%" y="{BOTTOM + 18}" text-anchor="middle">{step:,.0f}</text>'
        for step in across.ticks()
    ]
    for number, (line, steps, values) in reversed(list(enumerate(drawn))):
        kind = "fit" if number == 0 else "thin"
        for (a, b), (c, d) in pairwise(zip(steps, values, strict=True)):
            parts.append(f'<line class="{kind}" x1="{x(a)}%" y1="{y(b)}" x2="{x(c)}%" y2="{y(d)}"/>')
        parts.append(
            f'<text class="tick halo" x="98%" y="{y(float(values[-1])) - 6}" text-anchor="end">'
            f"{esc(clip(line.label, 30))}</text>"
        )
    parts.append(f'<text class="tick" x="50%" y="{BOTTOM + 38}" text-anchor="middle">{esc(axis_name)}</text>')
    return svg(key, title, description, BOTTOM + 44, "".join(parts))


def thinned(steps: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """At most `DRAWN` points of a line: the means of as many stretches of equal length.

    >>> thinned(np.array([1, 2]), np.array([4.0, 2.0]))
    (array([1., 2.]), array([4., 2.]))
    """
    parts = np.array_split(np.arange(len(values)), min(DRAWN, len(values)))
    return np.array([steps[part].mean() for part in parts]), np.array([values[part].mean() for part in parts])
