"""The next rows: what as many rows again would be worth by the learning curve, and what they would cost."""

from __future__ import annotations

from dataflywheel.report.drawing.curve_chart import Point, curve_chart
from dataflywheel.report.drawing.markup import esc, note, section
from dataflywheel.report.drawing.numbers import aligned, count
from dataflywheel.report.rundir import Run
from dataflywheel.report.verdict import metric_name
from dataflywheel.store.scoreboard import Ahead, Curve, Scoreboard


def next_rows(run: Run) -> str:
    """The section, or nothing where no curve was asked for."""
    board = run.compare
    if board is None or board.curve is None:
        return ""
    found = board.curve
    if found.failure or found.next is None:
        return section("next", "The next rows", note(f"Not measured: {found.failure}."))
    return section("next", "The next rows", _figure(board, found, found.next), esc(f"{found.said}."))


def _figure(board: Scoreboard, found: Curve, ahead: Ahead) -> str:
    points = [Point(p.rows, p.mean, p.low, p.high, p.scores) for p in found.points]
    turn = 1 if board.better == "lower" else -1
    here = ahead.value + turn * ahead.gain
    ends = sorted(here - turn * bound for bound in (ahead.low, ahead.high))
    foretold = Point(2 * ahead.rows, ahead.value, ends[0], ends[1])
    every = [*points, foretold]
    texts = aligned([point.value for point in every])
    described = "; ".join(f"{count(point.rows)} rows: {text}" for point, text in zip(every, texts, strict=True))
    metric = metric_name(board.metric)
    title = f"{metric} by the number of rows"
    axis = f"rows that are trained on; {metric}, {board.better} is better"
    chart = curve_chart("next", title, described, points, foretold, found.fitted, axis)
    caption = (
        "Nested parts of the final rows, each seen as often: mean and 95% interval, small dots are single seeds. "
        "Dashed and hollow is what the curve says of twice as many rows, with its 90% interval."
    )
    return f'<figure class="story"><figcaption><b>{esc(title)}</b> {esc(caption)}</figcaption>{chart}</figure>'
