"""Charts as inline SVG: positions in percent and text in pixels, so that labels stay readable at any width.

Colours come from the page's variables, so that one drawing serves light, dark and print. Every chart has a title and a
description for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.report.drawing.markup import clip, esc, slug
from dataflywheel.report.drawing.numbers import number, tick

Kind = Literal["ours", "random", "baseline"]


def svg(key: str, title: str, description: str, height: int, body: str, css: str = "") -> str:
    """An accessible drawing of full width and fixed height."""
    name = slug("chart", key)
    return (
        f'<svg class="chart {css}" width="100%" height="{height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{esc(title)}</title><desc id="{name}-d">{esc(description)}</desc>\n{body}</svg>'
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values inside [low, high], at most `most` of them.

    >>> ticks(0, 1), ticks(2.31, 2.49, 4)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [2.35, 2.4, 2.45])
    """
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = factor * power
        first = math.ceil(low / step - 1e-9)
        last = math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [round(i * step, 10) for i in range(first, last + 1)]
    return [low, high]


@dataclass(frozen=True)
class Scale:
    """Values to percent of the width, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        x = math.log(max(value, self.low)) if self.log else value
        share = (x - low) / (high - low) if high > low else 0.5
        return round(1 + 98 * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        if not self.log:
            return ticks(self.low, self.high)
        marks = [m * 10.0**e for e in range(-9, 13) for m in (1, 3)]
        inside = [m for m in marks if self.low <= m <= self.high]
        while len(inside) > 6:
            inside = inside[::2]
        return inside or [self.low, self.high]


def axis(scale: Scale, y: int, grid_top: int) -> str:
    """Tick labels under y with thin lines up to `grid_top`."""
    parts = []
    for value in scale.ticks():
        x = scale(value)
        anchor = "start" if x < 4 else "end" if x > 96 else "middle"
        parts.append(f'<line class="grid" x1="{x}%" x2="{x}%" y1="{grid_top}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{x}%" y="{y + 16}" text-anchor="{anchor}">{esc(tick(value))}</text>')
    return "".join(parts)


@dataclass(frozen=True)
class Interval:
    """One line of an interval chart: a mean with its bounds, and the single measurements behind it."""

    label: str
    mean: float
    low: float
    high: float
    shown: str
    """The value as text, at the right end of the line."""
    kind: Kind = "baseline"
    scores: Sequence[float] = ()


def intervals(key: str, title: str, description: str, lines: Sequence[Interval], axis_name: str) -> str:
    """Dots with intervals, one line each; the random line's mean runs through the chart as the mark to beat."""
    values = [v for line in lines for v in (line.mean, line.low, line.high, *line.scores)]
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    scale = Scale(low - margin, high + margin)
    row, top = 46, 6
    bottom = top + row * len(lines)
    parts = [axis(scale, bottom, top)]
    for line in lines:
        if line.kind == "random":
            x = scale(line.mean)
            band = f'x="{scale(line.low)}%" width="{round(scale(line.high) - scale(line.low), 2)}%"'
            parts.append(f'<rect class="band" {band} y="{top}" height="{bottom - top}"/>')
            parts.append(f'<line class="mark" x1="{x}%" x2="{x}%" y1="{top}" y2="{bottom}"/>')
    for i, line in enumerate(lines):
        y = top + i * row
        parts.append(
            f'<g class="{line.kind}"><text class="label halo" x="0" y="{y + 15}">{esc(clip(line.label, 34))}</text>'
        )
        parts.append(f'<text class="value halo" x="100%" y="{y + 15}" text-anchor="end">{esc(line.shown)}</text>')
        middle = y + 31
        parts += [f'<circle class="seed" cx="{scale(s)}%" cy="{middle}" r="3"/>' for s in line.scores]
        parts.append(
            f'<line class="whisker" x1="{scale(line.low)}%" x2="{scale(line.high)}%" y1="{middle}" y2="{middle}"/>'
        )
        parts.append(f'<circle class="dot" cx="{scale(line.mean)}%" cy="{middle}" r="6"/></g>')
    parts.append(f'<text class="tick" x="50%" y="{bottom + 34}" text-anchor="middle">{esc(axis_name)}</text>')
    return svg(key, title, description, bottom + 40, "".join(parts))


def around_zero(
    key: str, title: str, description: str, found: tuple[float, float, float], widest: float, css: str
) -> str:
    """A difference (mean, low, high) as a small interval around a line at zero, on a scale up to `widest`."""
    mean, low, high = map(Scale(-widest, widest), found)
    body = (
        f'<line class="mark" x1="50%" x2="50%" y1="0" y2="22"/><g class="{css}">'
        f'<line class="whisker" x1="{low}%" x2="{high}%" y1="11" y2="11"/>'
        f'<circle class="dot" cx="{mean}%" cy="11" r="5"/></g>'
    )
    return svg(key, title, description, 22, body, "mini")


def bin_edges(scale: Scale, values: FloatArray, bins: int = 40) -> FloatArray:
    """At most `bins` bins over the scale; those of whole numbers lie between them, so that none is too narrow."""
    if not np.all(values == np.round(values)):
        return (
            np.geomspace(scale.low, scale.high, bins + 1) if scale.log else np.linspace(scale.low, scale.high, bins + 1)
        )
    if scale.log:
        edges = np.geomspace(scale.low, scale.high, bins + 1)
        return np.unique(np.append(np.floor(edges) - 0.5, np.floor(scale.high) + 0.5))
    width = max(1, math.ceil((scale.high - scale.low) / bins))
    return np.arange(math.ceil(scale.low) - 0.5, scale.high + width, width)


def reach(values: FloatArray, low: float, high: float) -> Scale:
    """The scale of a distribution: on a log scale where it spans more than a factor of thirty above zero. One of whole
    numbers ends between them, so that the bar of each stands around its number."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    if low > 0 and high / low > 30:
        return Scale(low, high, log=True)
    if np.all(values == np.round(values)):
        low, high = math.ceil(low) - 0.5, math.floor(high) + 0.5
    return Scale(low, high)


def histogram(
    key: str, title: str, kept: FloatArray, dropped: FloatArray, *, thresholds: Sequence[float] = (), height: int = 150
) -> str:
    """Stacked counts of kept and dropped rows with the thresholds as lines; the outer half percent is not drawn.

    A range that spans more than a factor of thirty and holds no value at or below zero is drawn on a log scale.
    """
    both = np.concatenate([kept, dropped])
    low, high = float(np.quantile(both, 0.005, method="lower")), float(np.quantile(both, 0.995, method="higher"))
    for limit in thresholds:
        if both.min() <= limit <= both.max():
            low, high = min(low, limit), max(high, limit)
    scale = reach(both, low, high)
    edges = bin_edges(scale, both)
    kept_bins, dropped_bins = (np.histogram(v, edges)[0] for v in (kept, dropped))
    tallest = max(int((kept_bins + dropped_bins).max()), 1)
    base = height + 18
    parts = [axis(scale, base, base)]
    for i in range(len(edges) - 1):
        x = scale(float(edges[i]))
        width = round(max(0.9 * (scale(float(edges[i + 1])) - x), 0.2), 2)
        a, b = (height * int(n[i]) / tallest for n in (kept_bins, dropped_bins))
        if a:
            parts.append(f'<rect class="kept" x="{x}%" width="{width}%" y="{base - a:.1f}" height="{a:.1f}"/>')
        if b:
            parts.append(f'<rect class="dropped" x="{x}%" width="{width}%" y="{base - a - b:.1f}" height="{b:.1f}"/>')
    parts.append(f'<line class="base" x1="0" x2="100%" y1="{base}" y2="{base}"/>')
    for limit in thresholds:
        x = scale(limit)
        side = 'dx="-5" text-anchor="end"' if x > 60 else 'dx="5" text-anchor="start"'
        parts.append(f'<line class="limit" x1="{x}%" x2="{x}%" y1="2" y2="{base}"/>')
        parts.append(f'<text class="limit-label halo" x="{x}%" y="12" {side}>{esc(number(limit))}</text>')
    outside = int(((both < low) | (both > high)).sum())
    described = (
        f"{len(kept):,} kept and {len(dropped):,} dropped rows; {outside:,} lie outside {number(low)} to {number(high)}"
    )
    if thresholds:
        described += "; limits at " + ", ".join(number(v) for v in thresholds)
    return svg(key, title, described, base + 22, "".join(parts))
