"""Two distributions on one scale as inline SVG: bars for one, an outline for the other, both as shares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.report.drawing.charts import axis, bin_edges, reach, svg
from dataflywheel.report.drawing.numbers import number

BINS = 30


def overlay(key: str, title: str, bars: FloatArray, outline: FloatArray, *, height: int = 130) -> str:
    """Shares of the values `bars` (n,) as bars and of `outline` (m,) as a line; the outer half percent is not drawn.

    A range that spans more than a factor of thirty and holds no value at or below zero is drawn on a log scale.
    """
    both = np.concatenate([bars, outline])
    low, high = float(np.quantile(both, 0.005, method="lower")), float(np.quantile(both, 0.995, method="higher"))
    scale = reach(both, low, high)
    edges = bin_edges(scale, both, BINS)
    shares = [np.histogram(values, edges)[0] / max(1, len(values)) for values in (bars, outline)]
    tallest = max(float(share.max()) for share in shares) or 1.0
    base = height + 18
    parts, path = [axis(scale, base, base)], []
    for i in range(len(edges) - 1):
        x, right = scale(float(edges[i])), scale(float(edges[i + 1]))
        bar, line = (round(height * float(share[i]) / tallest, 1) for share in shares)
        if bar:
            width = round(max(0.9 * (right - x), 0.2), 2)
            parts.append(f'<rect class="kept" x="{x}%" width="{width}%" y="{base - bar:.1f}" height="{bar}"/>')
        path.append((x, right, base - line))
    parts += _steps(path)
    parts.append(f'<line class="base" x1="0" x2="100%" y1="{base}" y2="{base}"/>')
    medians = " and ".join(number(float(np.median(values))) if len(values) else "none" for values in (bars, outline))
    return svg(key, title, f"medians {medians}", base + 22, "".join(parts))


def _steps(path: list[tuple[float, float, float]]) -> list[str]:
    """An outline of bins: a level line each, and an upright one to the next."""
    lines = [f'<line class="outline" x1="{x}%" x2="{right}%" y1="{y:.1f}" y2="{y:.1f}"/>' for x, right, y in path]
    for (_, right, y), (_, _, other) in pairwise(path):
        lines.append(f'<line class="outline" x1="{right}%" x2="{right}%" y1="{y:.1f}" y2="{other:.1f}"/>')
    return lines
