"""Quality by slice: where the trained model is strong and weak, beside the model trained on random rows."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.charts import Interval, intervals
from dataflywheel.report.drawing.markup import esc, note, section, table
from dataflywheel.report.drawing.numbers import aligned, count, finite, interval, seconds
from dataflywheel.report.guided import guided
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.answers import last_evaluation
from dataflywheel.report.sections.funnel import step_title
from dataflywheel.report.sections.mixture import mixture_of
from dataflywheel.report.sections.overview import arm_label
from dataflywheel.report.sections.renewed import renewed
from dataflywheel.report.sections.rewards import rewards_of
from dataflywheel.report.sections.round_lines import round_lines
from dataflywheel.report.sections.small_slices import small_slices
from dataflywheel.report.verdict import metric_name
from dataflywheel.store.scoreboard import MeanInterval

SLICES_SHOWN = 24


def _value(entry: dict[str, Any]) -> float | None:
    """A slice's number: `value` of an evaluation, `mean` of a comparison."""
    return finite(entry.get("value", entry.get("mean")))


def _worst_first(slices: dict[str, dict[str, Any]], better: str) -> list[tuple[str, dict[str, Any]]]:
    known = [(value, name) for name, entry in slices.items() if (value := _value(entry)) is not None]
    sign = -1 if better == "lower" else 1
    return [(name, slices[name]) for _, name in sorted(known, key=lambda item: (sign * item[0], item[1]))]


def _line(name: str, value: dict[str, Any], text: str) -> Interval:
    mean = _value(value) or 0.0
    low, high = (bound if (bound := finite(value.get(k))) is not None else mean for k in ("low", "high"))
    n = f", {count(value['n'])} rows" if value.get("n") else ""
    return Interval(name, mean, low, high, text + n, "ours")


def _step(run: Run, step: Step) -> str:
    found = step.details
    metric, better = metric_name(found.get("metric", "score")), str(found.get("better", "lower"))
    overall = found.get("overall") or {}
    shown = interval(overall.get("value"), overall.get("low"), overall.get("high"))
    where = f"{metric} over {count(overall.get('n'))} evaluation rows ({better} is better)."
    beside = esc(" ".join(filter(None, [where, guided(run.directory)])) + _untrained(found))
    head = f"<p><b>{esc(shown)}</b> {beside}</p>{renewed(found)}"
    slices = _worst_first(found.get("slices") or {}, better)
    if not slices:
        return head + note("The target has no slices, so there is only this one number.")
    texts = aligned([s.get("value") for _, s in slices])
    lines = [_line(name, s, text) for (name, s), text in zip(slices, texts, strict=True)][:SLICES_SHOWN]
    described = "; ".join(f"{line.label}: {line.shown}" for line in lines)
    title = f"{metric} by slice, the weakest on top"
    chart = intervals(f"slices-{step.key}", title, described, lines, f"{metric}, {better} is better")
    more = len(slices) - len(lines)
    rest = note(f"{more} stronger slices are not drawn; they are in metrics.json of {step.key}.") if more > 0 else ""
    figure = f'<figure class="story"><figcaption><b>{esc(title)}</b></figcaption>{chart}</figure>'
    return f"<h3>{esc(step_title(run, step))}</h3>{head}{figure}{rest}{small_slices(step)}"


def _untrained(found: dict[str, Any]) -> str:
    """The score of the student before any training, in a sentence."""
    base = (found.get("untrained") or {}).get("overall") or {}
    if finite(base.get("value")) is None:
        return ""
    return f" The untrained student: {interval(base.get('value'), base.get('low'), base.get('high'))}."


def _against_random(run: Run) -> str:
    board = run.compare
    ours, theirs = (board.own, board.random) if board else (None, None)
    if board is None or not ours or not theirs:
        return ""
    slices, others = ours.slices, theirs.slices
    told = {name: one.model_dump() for name, one in slices.items()}
    both = [name for name, _ in _worst_first(told, board.better) if name in others and finite(others[name].mean)]
    if not both:
        return ""
    rows = []
    for name in both:
        a, b = slices[name], others[name]
        rows.append(
            [
                esc(name),
                esc(interval(a.mean, a.low, a.high)),
                esc(interval(b.mean, b.low, b.high)),
                esc(_word(a, b, board.better)),
            ]
        )
    head = ["slice", arm_label(ours), arm_label(theirs), "in words"]
    caption = f"{metric_name(board.metric)} by slice, against random rows: mean and 95% interval over seeds"
    return table(caption, head, rows, numeric=(1, 2), css="stack")


def _word(ours: MeanInterval, theirs: MeanInterval, better: str) -> str:
    """Intervals that do not touch are told apart; slices have no paired test of their own."""
    if not (ours.known and theirs.known):
        return "not decided"
    if ours.low <= theirs.high and theirs.low <= ours.high:
        return "intervals overlap"
    return "better" if (ours.high < theirs.low) == (better == "lower") else "worse"


def _training(run: Run) -> str:
    parts = []
    for step in [*run.named("train"), *run.named("distill"), *run.named("prefer"), *run.named("reinforce")]:
        found = step.details
        done = f"{count(found.get('steps'))} training steps over {count(found.get('tokens'))} tokens"
        back = f"; round {step.round} was taken back" if step.round in run.taken_back else ""
        facts = f"{done} in {seconds(step.cost.get('seconds'))}{back}"
        parts.append(f"<p>Trained model: <code>{esc(found.get('model', 'unnamed'))}</code>, {esc(facts)}.</p>")
        parts.append(_rows_of(step) + mixture_of(step) + rewards_of(step))
    return "".join(parts)


def _rows_of(step: Step) -> str:
    """What became of the rows that a training was given, where not all were learned as they are."""
    told = {reason.partition(": ")[2]: n for reason, n in step.counts.items() if not reason.endswith(": trained")}
    if not told:
        return ""
    rows = [[esc(reason), esc(count(n))] for reason, n in told.items()]
    cut = f" {count(step.details['cut'])} were cut at max_length." if step.details.get("cut") else ""
    head = f"<p>{count(step.rows_out)} of {count(step.rows_in)} rows were learned.{esc(cut)}</p>"
    return head + table("Rows that were not learned as they are", ["why", "rows"], rows, numeric=(1,))


def evaluation(run: Run) -> str:
    """All evaluations of the run, then the slices against random."""
    steps, last = run.named("evaluate"), last_evaluation(run)
    drawn = round_lines(run) if len(steps) > 1 else ""
    body = _training(run) + drawn + "".join(_step(run, step) for step in ([last] if drawn and last else steps))
    body += _against_random(run)
    if not steps:
        body = note("This run did not evaluate a model; add an evaluate step and a target to the recipe.") + body
    return section("evaluation", "Evaluation by slice", body)
