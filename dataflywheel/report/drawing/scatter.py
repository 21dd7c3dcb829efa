"""Points on a plane as inline SVG, coloured by group, each with a text that a browser shows where it is pointed at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.report.drawing.markup import clip, esc, slug

MAP_POINTS = 2000
WIDE, HIGH, MARGIN = 1000, 520, 14
TEXT = 70


def scatter(
    key: str,
    title: str,
    description: str,
    points: FloatArray,
    kept: AnyArray,
    groups: AnyArray,
    texts: Sequence[str],
) -> str:
    """Points (n, 2) over the whole width, kept ones large and above; `groups` (n,) counts colours from 0.

    `texts` says of each point what it is; it is row text, and escaped here.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    placed = (points - low) / span * [WIDE - 2 * MARGIN, HIGH - 2 * MARGIN] + MARGIN
    name = slug("chart", key)

    def dots(mask: AnyArray) -> str:
        return "".join(
            f'<circle cx="{round(float(placed[i, 0]))}" cy="{round(HIGH - float(placed[i, 1]))}">'
            f"<title>{esc(clip(texts[i], TEXT))}</title></circle>"
            for i in np.flatnonzero(mask).tolist()
        )

    layers = []
    for css, of in (("dropped", ~kept), ("kept", kept)):
        inner = "".join(f'<g class="s{group}">{dots(of & (groups == group))}</g>' for group in np.unique(groups[of]))
        layers.append(f'<g class="{css}">{inner}</g>')
    return (
        f'<svg class="chart map" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{esc(title)}</title><desc id="{name}-d">{esc(description)}</desc>{"".join(layers)}</svg>'
    )
