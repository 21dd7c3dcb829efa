"""The wheel by round: quality by slice, where the budget went, real rows, diversity, and what was decided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.report.drawing.charts import Interval, intervals
from dataflywheel.report.drawing.markup import details, esc, note, section, table
from dataflywheel.report.drawing.numbers import aligned, count, finite, interval, percent, signed_percent
from dataflywheel.report.reading import read_json
from dataflywheel.report.rundir import Run
from dataflywheel.report.sections.renewed import renewed
from dataflywheel.report.sections.round_drift import drift
from dataflywheel.report.verdict import metric_name
from dataflywheel.store.round_record import RoundRecord

ROWS_SHOWN = 40
HARDLY = 0.05
"""Share of a budget that is as good as none."""


def wheel(run: Run) -> str:
    """The section, or nothing for a run without rounds."""
    found = run.rounds
    if not found:
        return ""
    body = (
        story(run, found)
        + _rounds(found)
        + _slices(run, found)
        + _budget(found)
        + _diversity(found)
        + drift(found)
        + _judge(run, found)
    )
    body += _sealed(run)
    lead = "Each round trains anew on all rows kept so far; the next budget goes where the last evaluation says."
    return section("wheel", "The wheel by round", body, esc(lead))


def story(run: Run, found: Sequence[RoundRecord]) -> str:
    """One chart: how good the model was after every round on the select tier, with the rows it was trained on."""
    lines = []
    values = [_selected(run, one.round) for one in found]
    texts = aligned([value.get("value") for value in values])
    for one, value, text in zip(found, values, texts, strict=True):
        mean, low, high = (finite(value.get(name)) for name in ("value", "low", "high"))
        if mean is None or low is None or high is None:
            continue
        kept = "" if one.kept else ", taken back"
        label = f"round {one.round}: {count(one.rows.rows)} rows{kept}"
        lines.append(Interval(label, mean, low, high, text, "ours" if one.kept else "baseline"))
    if not lines:
        return note("No round was evaluated.")
    evaluated = run.named("evaluate")[0].details
    metric, better = metric_name(evaluated.get("metric")), str(evaluated.get("better", "lower"))
    described = "; ".join(f"{line.label}: {line.shown}" for line in lines)
    title = f"{metric} after every round"
    chart = intervals("wheel", title, described, lines, f"{metric} of the select tier, {better} is better")
    caption = "Mean and 95% interval over the evaluation rows that choose the model; none of them was trained on."
    return f'<figure class="story"><figcaption><b>{esc(title)}</b> {esc(caption)}</figcaption>{chart}</figure>'


def _selected(run: Run, round_: int) -> dict[str, Any]:
    for step in run.named("evaluate"):
        if step.round == round_:
            tiers: dict[str, Any] = step.details.get("tiers") or {}
            overall: dict[str, Any] = (tiers.get("select") or {}).get("overall") or {}
            return overall
    return {}


def _rounds(found: Sequence[RoundRecord]) -> str:
    rows = []
    for one in found:
        ended = [one.stopped] if one.stopped else [f"alarm: {alarm}" for alarm in one.alarms]
        rows.append(
            [
                esc(str(one.round)),
                esc("kept" if one.kept else "taken back"),
                esc(", ".join(f"{name} {count(amount)}" for name, amount in one.budget.steps.items())),
                esc(count(one.rows.rows)),
                esc(percent(one.rows.real_share)),
                esc(" ".join(["; ".join(one.reasons), *ended])),
            ]
        )
    head = ["round", "verdict", "budget by step", "rows trained on", "real", "why"]
    return table("Every round", head, rows, numeric=(3, 4), css="stack")


def _slices(run: Run, found: Sequence[RoundRecord]) -> str:
    """Quality of each slice after each round, on the select tier."""
    by_round = {
        step.round: ((step.details.get("tiers") or {}).get("select") or {}).get("slices") or {}
        for step in run.named("evaluate")
    }
    names = list(dict.fromkeys(name for slices in by_round.values() for name in slices))
    if len(names) < 2:
        return ""
    rounds = [one.round for one in found]
    rows = []
    for name in names[:ROWS_SHOWN]:
        cells = [by_round.get(r, {}).get(name) or {} for r in rounds]
        rows.append([esc(name), *(esc(interval(c.get("value"), c.get("low"), c.get("high"))) for c in cells)])
    head = ["slice", *(f"round {r}" for r in rounds)]
    return table("Quality by slice and round, select tier, with 95% intervals", head, rows, numeric=range(1, len(head)))


def _budget(found: Sequence[RoundRecord]) -> str:
    """Rows given to each slice in each round, with the policy's last reason."""
    given = {one.round: one.budget.of_slices() for one in found}
    reasons: dict[str, str] = {}
    for one in found:
        reasons |= one.budget.by_slice.reasons if one.budget.by_slice else {}
    names = list(dict.fromkeys(name for amounts in given.values() for name in amounts))
    if not names:
        return ""
    rounds = [r for r, amounts in given.items() if amounts]
    rows = [
        [esc(name), *(esc(count(given[r].get(name, 0))) for r in rounds), esc(reasons.get(name, ""))]
        for name in names[:ROWS_SHOWN]
    ]
    head = ["slice", *(f"round {r}" for r in rounds), "why, in the last round"]
    caption = "Budget by slice: what the feedback gave each skill; the first round knows no evaluation yet"
    return table(caption, head, rows, numeric=range(1, len(rounds) + 1), css="stack") + moved(
        {r: given[r] for r in rounds}
    )


def moved(given: Mapping[int, Mapping[str, int]]) -> str:
    """How much of the budget went to other slices in the last round than in the first; nothing of one round."""
    rounds = [r for r, amounts in given.items() if sum(amounts.values())]
    if len(rounds) < 2:
        return ""
    first, last = ({n: a / sum(given[r].values()) for n, a in given[r].items()} for r in (rounds[0], rounds[-1]))
    share = sum(abs(last.get(name, 0.0) - first.get(name, 0.0)) for name in first.keys() | last.keys()) / 2
    hardly = " The feedback hardly moved anything." if share < HARDLY else ""
    moved = f"{percent(share)} of the budget moved to other slices.{hardly}"
    return note(f"Between round {rounds[0]} and round {rounds[-1]}, {moved}")


def _diversity(found: Sequence[RoundRecord]) -> str:
    measured = [one for one in found if one.diversity]
    if not measured:
        return ""
    rows = []
    for name in [measure.name for measure in measured[0].diversity]:
        values = [next((m.change for m in one.diversity if m.name == name), math.nan) for one in measured]
        cells = [esc("not known" if math.isnan(change) else signed_percent(change)) for change in values]
        rows.append([esc(name.replace("_", " ")), *cells])
    head = ["measure", *(f"round {one.round}" for one in measured)]
    caption = "Diversity of a round's new rows against those of the first round"
    told = [f"round {one.round}: {alarm}" for one in measured for alarm in one.alarms]
    return details(
        f"{caption}: {'; '.join(told) or 'no alarm'}", table(caption, head, rows, numeric=range(1, len(head)))
    )


def _judge(run: Run, found: Sequence[RoundRecord]) -> str:
    """What a judge gave the answers that were accepted, beside what it has no say in."""
    rows = []
    for one in found:
        if one.judge is None:
            continue
        gold = _selected(run, one.round)
        means = [
            esc("not known" if math.isnan(mean) else f"{mean:.3g}") for mean in (one.judge.score, one.judge.length)
        ]
        shown = esc(interval(gold.get("value"), gold.get("low"), gold.get("high")))
        rows.append([esc(str(one.round)), esc(count(one.judge.answers)), *means, shown])
    if not rows:
        return ""
    head = ["round", "answers", "mean score", "mean characters", "select tier"]
    caption = "The judge's scores of accepted answers beside the select tier, in which it has no say"
    return table(caption, head, rows, numeric=range(len(head)))


def _sealed(run: Run) -> str:
    """The one number that nothing was chosen by."""
    found = read_json(run.directory / "sealed" / "metrics.json", {})
    looks = read_json(run.directory / "sealed-looks.json", {}).get("looks") or []
    overall = found.get("overall") or {}
    if not overall:
        return note("The sealed tier was not scored: that is done once, after the last round.")
    shown = interval(overall.get("value"), overall.get("low"), overall.get("high"))
    granted = sum(bool(look.get("granted")) for look in looks)
    where = (
        f"{metric_name(found.get('metric'))} over {count(overall.get('n'))} sealed rows, which neither chose rows nor "
        f"models; looked at {granted} {'time' if granted == 1 else 'times'} in this run directory."
    )
    return f"<p><b>{esc(shown)}</b> {esc(where)}</p>{renewed(found)}"
