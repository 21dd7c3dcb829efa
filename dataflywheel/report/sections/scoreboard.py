"""The scoreboard: every choice of rows at one budget, its difference to random, and what choosing cost."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.charts import around_zero
from dataflywheel.report.drawing.markup import esc, note, section, table
from dataflywheel.report.drawing.numbers import count, finite, interval, money, number, percent, plural, seconds, short
from dataflywheel.report.rundir import Run
from dataflywheel.report.sections.overview import arm_kind, arm_label
from dataflywheel.report.verdict import metric_name


def difference_drawing(arm: dict[str, Any], widest: float, better: str) -> str:
    """The difference to random as a small interval around zero."""
    difference = arm.get("difference") or {}
    mean, low, high = (finite(difference.get(k)) for k in ("mean", "low", "high"))
    if mean is None or low is None or high is None or widest <= 0:
        return ""
    verdict = str(arm.get("verdict"))
    css = "ours" if verdict == "better than random" else "worse" if verdict == "worse than random" else "baseline"
    described = f"{interval(mean, low, high, signed=True)}; {better} is better"
    key, title = f"difference-{arm.get('name')}", f"{arm.get('name')} minus random"
    return around_zero(key, title, described, (mean, low, high), widest, css)


def _main_table(compare: dict[str, Any], arms: list[dict[str, Any]]) -> str:
    better = str(compare.get("better"))
    reach = [
        abs(b)
        for arm in arms
        for k in ("low", "high")
        if (b := finite((arm.get("difference") or {}).get(k))) is not None
    ]
    rows = []
    for arm in arms:
        difference = arm.get("difference") or {}
        shown = interval(difference.get("mean"), difference.get("low"), difference.get("high"), signed=True)
        drawn = difference_drawing(arm, 1.1 * max(reach, default=0.0), better)
        rows.append(
            [
                f'<span class="dot-key {arm_kind(compare, arm)}"></span>{esc(arm_label(arm))}',
                esc(interval(arm.get("mean"), arm.get("low"), arm.get("high"))),
                f"{drawn}{esc(shown)}"
                if difference
                else "the mark to beat"
                if arm_kind(compare, arm) == "random"
                else "not paired",
                f"<b>{esc(arm.get('verdict') or 'not decided')}</b>",
            ]
        )
    head = ["choice of rows", metric_name(compare.get("metric")), "minus random, paired by seed", "in words"]
    caption = (
        f"Mean and 95% interval over {plural(len(compare.get('seeds') or []), 'seed')}, budget {compare.get('budget')} "
        f"of {count(compare.get('rows_offered'))} rows; {better} is better"
    )
    return table(caption, head, rows, numeric=(1,), css="stack")


def _cost_table(compare: dict[str, Any], arms: list[dict[str, Any]]) -> str:
    rows = []
    for arm in arms:
        cost = arm.get("select_cost") or {}
        rows.append(
            [
                f'<span class="dot-key {arm_kind(compare, arm)}"></span>{esc(arm_label(arm))}',
                esc(count(arm.get("rows"))),
                esc(short(arm.get("answer_tokens"))),
                esc(seconds(cost.get("seconds"))),
                esc(short(cost.get("forward", 0))),
                esc(money(cost.get("usd", 0))),
                esc(seconds(arm.get("train_seconds"))),
                esc(f"{number(arm.get('length_shift'))}\u00d7"),
            ]
        )
    head = ["choice of rows", "rows", "answer tokens", "choosing took", "forward passes", "paid"]
    head += ["training took", "answer length"]
    caption = "What choosing and training cost; answer length is the mean of the chosen rows over that of the pool"
    return table(caption, head, rows, numeric=range(1, 8), css="stack")


def _overlap_table(arms: list[dict[str, Any]]) -> str:
    names = [str(arm.get("name")) for arm in arms]
    rows = []
    for arm in arms:
        overlap = arm.get("overlap") or {}
        cells = []
        for name in names:
            share = finite(overlap.get(name))
            strength = 0 if share is None else round(60 * share)
            cells.append(
                "" if share is None else f'<span class="heat" style="--heat:{strength}%">{esc(percent(share))}</span>'
            )
        rows.append([esc(arm.get("name")), *cells])
    if not any(arm.get("overlap") for arm in arms):
        return note("The overlap of the choices was not recorded.")
    caption = "Overlap of the choices: rows in both over rows in either"
    return table(caption, ["choice of rows", *names], rows, numeric=range(1, len(names) + 1))


def scoreboard(run: Run) -> str:
    """All of the comparison, or the statement that there was none."""
    compare = run.compare
    if not compare or not compare.get("arms"):
        missing = (
            "Nothing was compared in this run: the gain over a random choice of rows was not measured. "
            "Add a compare list to the recipe, or run flywheel compare."
        )
        return section("scoreboard", "Scoreboard", note(missing))
    sign = 1.0 if compare.get("better") == "lower" else -1.0
    known = [arm for arm in compare["arms"] if finite(arm.get("mean")) is not None]
    failed = [arm for arm in compare["arms"] if finite(arm.get("mean")) is None]
    arms = sorted(known, key=lambda arm: (sign * arm["mean"], str(arm.get("name")))) + failed
    body = _main_table(compare, arms) + _cost_table(compare, arms) + _overlap_table(arms)
    lead = "Every choice was trained and evaluated alike. A difference whose interval includes zero is no gain."
    return section("scoreboard", "Scoreboard", body, lead)
