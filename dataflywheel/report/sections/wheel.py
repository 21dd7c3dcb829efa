"""The wheel by round: quality by slice, where the budget went, real rows, diversity, and what was decided."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.charts import Interval, intervals
from dataflywheel.report.drawing.markup import esc, note, section, table
from dataflywheel.report.drawing.numbers import aligned, count, finite, interval, percent, signed_percent
from dataflywheel.report.rundir import Run, read_json
from dataflywheel.report.verdict import metric_name

Turn = dict[str, Any]
ROWS_SHOWN = 40


def turns(run: Run) -> list[Turn]:
    """What each round of a wheel wrote of itself, in order; none for a run of one round."""
    found = [read_json(path, {}) for path in run.directory.glob("round-*/turn.json")]
    return sorted((turn for turn in found if turn), key=lambda turn: int(turn.get("round") or 0))


def taken_back(run: Run) -> list[int]:
    """Rounds whose rows are not in the final set."""
    return [int(turn["round"]) for turn in turns(run) if not turn.get("kept")]


def wheel(run: Run) -> str:
    """The section, or nothing for a run without rounds."""
    found = turns(run)
    if not found:
        return ""
    body = (
        story(run, found)
        + _rounds(found)
        + _slices(run, found)
        + _budget(found)
        + _diversity(found)
        + _judge(run, found)
    )
    body += _sealed(run)
    lead = "Each round trains anew on all rows kept so far; the next budget goes where the last evaluation says."
    return section("wheel", "The wheel by round", body, esc(lead))


def story(run: Run, found: list[Turn]) -> str:
    """One chart: how good the model was after every round on the select tier, with the rows it was trained on."""
    lines = []
    values = [_selected(run, int(turn["round"])) for turn in found]
    texts = aligned([value.get("value") for value in values])
    for turn, value, text in zip(found, values, texts, strict=True):
        mean, low, high = (finite(value.get(name)) for name in ("value", "low", "high"))
        if mean is None or low is None or high is None:
            continue
        rows = turn.get("rows") or {}
        kept = "" if turn.get("kept") else ", taken back"
        label = f"round {turn['round']}: {count(rows.get('rows'))} rows{kept}"
        lines.append(Interval(label, mean, low, high, text, "ours" if turn.get("kept") else "baseline"))
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


def _rounds(found: list[Turn]) -> str:
    rows = []
    for turn in found:
        mixed, brought = turn.get("rows") or {}, (turn.get("budget") or {}).get("steps") or {}
        said = "; ".join(str(reason) for reason in turn.get("reasons") or [])
        ended = [str(turn["stopped"])] if turn.get("stopped") else [f"alarm: {one}" for one in turn.get("alarms") or []]
        rows.append(
            [
                esc(str(turn["round"])),
                esc("kept" if turn.get("kept") else "taken back"),
                esc(", ".join(f"{name} {count(amount)}" for name, amount in brought.items())),
                esc(count(mixed.get("rows"))),
                esc(percent(mixed.get("real_share"))),
                esc(" ".join([said, *ended])),
            ]
        )
    head = ["round", "verdict", "budget by step", "rows trained on", "real", "why"]
    return table("Every round", head, rows, numeric=(3, 4), css="stack")


def _slices(run: Run, found: list[Turn]) -> str:
    """Quality of each slice after each round, on the select tier."""
    by_round = {
        step.round: ((step.details.get("tiers") or {}).get("select") or {}).get("slices") or {}
        for step in run.named("evaluate")
    }
    names = list(dict.fromkeys(name for slices in by_round.values() for name in slices))
    if len(names) < 2:
        return ""
    rounds = [int(turn["round"]) for turn in found]
    rows = []
    for name in names[:ROWS_SHOWN]:
        cells = [by_round.get(r, {}).get(name) or {} for r in rounds]
        rows.append([esc(name), *(esc(interval(c.get("value"), c.get("low"), c.get("high"))) for c in cells)])
    head = ["slice", *(f"round {r}" for r in rounds)]
    return table("Quality by slice and round, select tier, with 95% intervals", head, rows, numeric=range(1, len(head)))


def _budget(found: list[Turn]) -> str:
    """Rows given to each slice in each round, with the policy's last reason."""
    given: dict[int, dict[str, int]] = {}
    reasons: dict[str, str] = {}
    for turn in found:
        budget = turn.get("budget") or {}
        amounts: dict[str, int] = {}
        for slices in (budget.get("slices") or {}).values():
            for name, amount in slices.items():
                amounts[name] = amounts.get(name, 0) + int(amount)
        given[int(turn["round"])] = amounts
        reasons.update((budget.get("by_slice") or {}).get("reasons") or {})
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
    return table(caption, head, rows, numeric=range(1, len(rounds) + 1), css="stack")


def _diversity(found: list[Turn]) -> str:
    measured = [turn for turn in found if turn.get("diversity")]
    if not measured:
        return ""
    names = [str(one["name"]) for one in measured[0]["diversity"]]
    rows = []
    for name in names:
        values: list[Turn] = [next((m for m in turn["diversity"] if m["name"] == name), {}) for turn in measured]
        changes = [finite(value.get("change")) for value in values]
        cells = [esc("not known" if c is None else signed_percent(c)) for c in changes]
        rows.append([esc(name.replace("_", " ")), *cells])
    head = ["measure", *(f"round {turn['round']}" for turn in measured)]
    caption = "Diversity of a round's new rows against those of the first round"
    return table(caption, head, rows, numeric=range(1, len(head)))


def _judge(run: Run, found: list[Turn]) -> str:
    """What a judge gave the answers that were accepted, beside what it has no say in."""
    judged = [turn for turn in found if turn.get("judge")]
    if not judged:
        return ""
    rows = []
    for turn in judged:
        score, length = (finite(turn["judge"].get(name)) for name in ("score", "length"))
        gold = _selected(run, int(turn["round"]))
        means = [esc("not known" if mean is None else f"{mean:.3g}") for mean in (score, length)]
        shown = esc(interval(gold.get("value"), gold.get("low"), gold.get("high")))
        rows.append([esc(str(turn["round"])), esc(count(turn["judge"].get("answers"))), *means, shown])
    head = ["round", "answers", "mean score", "mean characters", "select tier"]
    caption = "The judge's scores of accepted answers beside the select tier, in which it has no say"
    return table(caption, head, rows, numeric=range(len(head)))


def _sealed(run: Run) -> str:
    """The one number that nothing was chosen by."""
    found = read_json(run.directory / "sealed" / "metrics.json", {})
    looks = read_json(run.directory / "sealed-looks.json", {}).get("looks") or []
    overall = found.get("overall") or {}
    if not overall:
        return note("The sealed tier was not looked at: no round was finished.")
    shown = interval(overall.get("value"), overall.get("low"), overall.get("high"))
    granted = sum(bool(look.get("granted")) for look in looks)
    where = (
        f"{metric_name(found.get('metric'))} over {count(overall.get('n'))} sealed rows, which neither chose rows nor "
        f"models; looked at {granted} {'time' if granted == 1 else 'times'} in this run directory."
    )
    return f"<p><b>{esc(shown)}</b> {esc(where)}</p>"
