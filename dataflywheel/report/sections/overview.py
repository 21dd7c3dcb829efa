"""The first screen: the verdict in words, the chart that tells the story, four numbers."""

from __future__ import annotations

from dataflywheel.report.drawing.charts import Interval, Kind, intervals
from dataflywheel.report.drawing.markup import esc, note, tile
from dataflywheel.report.drawing.numbers import (
    aligned,
    count,
    finite,
    money,
    percent,
    plural,
    seconds,
    short,
    signed_percent,
)
from dataflywheel.report.rundir import Run
from dataflywheel.report.sections.funnel import parts
from dataflywheel.report.sections.story import story
from dataflywheel.report.verdict import Verdict, gain, metric_name, verdict
from dataflywheel.store.scoreboard import ArmScore, Scoreboard


def arm_kind(board: Scoreboard, arm: ArmScore) -> Kind:
    """The run's own choice of rows, random, or one of the others: how it is drawn."""
    if arm is board.own:
        return "ours"
    return "random" if arm.name == "random" else "baseline"


def arm_label(arm: ArmScore) -> str:
    return arm.label or arm.name


def arm_chart(board: Scoreboard) -> str:
    """Every arm's mean with its interval and seeds, the best on top."""
    arms = [arm for arm in board.arms if finite(arm.mean) is not None]
    lower = board.better == "lower"
    arms.sort(key=lambda arm: (arm.mean if lower else -arm.mean, arm.name))
    sizes = {arm.rows for arm in arms}
    lines = []
    shown = aligned([arm.mean for arm in arms])
    for arm, text in zip(arms, shown, strict=True):
        low, high = (bound if finite(bound) is not None else arm.mean for bound in (arm.low, arm.high))
        scores = [score for score in arm.scores if finite(score) is not None]
        suffix = f", {short(arm.rows)} rows" if len(sizes) > 1 else ""
        lines.append(Interval(arm_label(arm), arm.mean, low, high, text + suffix, arm_kind(board, arm), scores))
    if not lines:
        return note("The comparison holds no score: every arm failed or was stopped by the budget.")
    metric = metric_name(board.metric)
    axis = f"{metric}, {'lower' if lower else 'higher'} is better"
    described = "; ".join(f"{line.label}: {line.shown}" for line in lines)
    chart = intervals("arms", f"Score of each choice of rows in {metric}", described, lines, axis)
    return (
        f'<figure class="story">{chart}<figcaption>Mean and 95% interval over '
        f"{plural(len(board.seeds), 'seed')}; small dots are single seeds. The dashed line is a random "
        f"choice of rows, the mark to beat.</figcaption></figure>"
    )


def _rows_tile(run: Run) -> str:
    pool, last = run.pool, run.final
    if pool is None or last is None:
        return tile("Rows kept", "none yet", "the pool was not read")
    read = max(pool.rows_in, pool.rows_out)
    written = sum(parts(step)["added"] for step in run.row_steps)
    if written and len({step.round for step in run.row_steps}) > 1:
        return tile("Rows", count(last.rows_out), f"{count(read)} read; others were written in the rounds")
    if written:
        left = max(0, read + written - last.rows_out)
        gone = f", {count(left)} left out" if left else ""
        return tile("Rows", count(last.rows_out), f"{count(read)} read, {count(written)} added{gone}")
    share = percent(last.rows_out / read) if read else "0%"
    return tile("Rows kept", count(last.rows_out), f"{share} of {count(read)} rows read")


def _quality_tile(run: Run) -> str:
    arm = run.compare.own if run.compare else None
    measured = gain(run.compare, arm) if run.compare and arm else None
    if not run.compare or not measured:
        return tile("Gain over random", "not measured", "no random baseline was trained")
    metric = metric_name(run.compare.metric)
    interval = f"{signed_percent(measured.low)} to {signed_percent(measured.high)}"
    return tile("Gain over random", signed_percent(measured.mean), f"{interval} (95%) in {metric}")


def _cost_tile(run: Run) -> str:
    total = run.total
    passes = f"{short(total.get('forward', 0))} forward, {short(total.get('backward', 0))} backward passes"
    if total.get("usd") or total.get("calls"):
        return tile("Cost", money(total.get("usd", 0)), f"{plural(total.get('calls', 0), 'model call')}; {passes}")
    return tile("Cost", "$0", f"no paid calls; {passes}")


def _time_tile(run: Run) -> str:
    bills: dict[str, dict[str, float]] = run.ledger.get("steps") or {}
    costs = [(bill.get("seconds") or 0.0, name) for name, bill in bills.items()]
    slowest = max(costs, default=(0.0, ""))
    below = f"longest step: {slowest[1]}, {seconds(slowest[0])}" if slowest[1] else "no step finished"
    return tile("Time", seconds(run.total.get("seconds")), below)


def overview(run: Run) -> str:
    """The first screen of the report."""
    said: Verdict = verdict(run)
    chart = arm_chart(run.compare) if run.compare else ""
    tiles = _rows_tile(run) + _quality_tile(run) + _cost_tile(run) + _time_tile(run)
    stopped = ""
    if run.missing:
        names = ", ".join(run.missing)
        why = "" if run.stopped else f"This run is not finished{stop_reason(run)}. "
        stopped = note(f"{why}Planned and not done: {names}.")
    return (
        f'<header class="hero {said.tone}"><p class="kicker">{esc(run.name)}</p><h1>{esc(said.headline)}</h1>'
        f'<p class="detail">{esc(said.detail)}</p>{stopped}</header>\n{story(run)}\n<dl class="tiles">{tiles}</dl>\n'
        f"{chart}"
    )


def stop_reason(run: Run) -> str:
    """What the last event that speaks of stopping or failing said, after a colon, or nothing."""
    for event in reversed(run.events):
        if str(event.get("event")) in ("stopped", "failed", "budget"):
            reason = str(event.get("reason") or event.get("message") or "")
            return f": {reason}" if reason else ""
    return ""
