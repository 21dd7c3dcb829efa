"""What each step was worth: the recipe with it against the recipe without it, beside what the step cost."""

from __future__ import annotations

from dataflywheel.report.drawing.charts import around_zero
from dataflywheel.report.drawing.markup import esc, section, table
from dataflywheel.report.drawing.numbers import count, finite, interval, money, number, plural, seconds, short
from dataflywheel.report.rundir import Run
from dataflywheel.report.verdict import metric_name
from dataflywheel.store.scoreboard import ALIKE, StepWorth

COLOURS = {"it helped": "ours", "it harmed": "worse"}


def worth(run: Run) -> str:
    """The section, or nothing where no step was left out."""
    board = run.compare
    if board is None or not board.steps:
        return ""
    found = [line.worth for line in board.steps if line.worth]
    bounds = [abs(bound) for one in found for bound in (one.low, one.high) if finite(bound) is not None]
    tokens = board.own.train_tokens if board.own else 0
    rows = [_row(line, 1.1 * max(bounds, default=0.0), tokens) for line in board.steps]
    head = ["step", f"worth in {metric_name(board.metric)}", "in words", "rows with it", "without it"]
    head += ["tokens without it", "the step took", "paid"]
    seeds = plural(len(board.seeds), "seed")
    caption = (
        f"The model without the step against the model with it, paired over {seeds}, with 95% intervals; above zero "
        "the step helped"
    )
    lead = (
        "The whole recipe was run again without each step, and trained and evaluated like all the others. A step that "
        "adds or removes rows changes how much is trained as well."
    )
    body = table(caption, head, rows, numeric=(3, 4, 5, 6, 7), css="stack")
    return section("worth", "What each step was worth", body, esc(lead))


def _row(line: StepWorth, widest: float, own: int) -> list[str]:
    found, drawn, shown = line.worth, "", "not measured"
    if found is not None and found.known:
        told = interval(found.mean, found.low, found.high, signed=True)
        colour = COLOURS.get(line.verdict, "baseline")
        ends = (found.mean, found.low, found.high)
        drawn = around_zero(f"worth-{line.step}", f"worth of {line.step}", told, ends, widest, colour)
        shown = esc(told)
    by = f" by {line.by}" if line.by else ""
    return [
        esc(line.step + by),
        drawn + shown,
        _words(line),
        esc(count(line.rows_with)),
        esc(count(line.rows) if line.rows else "none"),
        esc(_tokens(line, own)),
        esc(seconds(line.cost.seconds)),
        esc(money(line.cost.usd)),
    ]


def _tokens(line: StepWorth, own: int) -> str:
    """What was trained on without the step, beside what the whole recipe trained on."""
    if line.token_ratio is None or not own:
        return "not known"
    return f"{short(line.token_ratio * own)} ({short(own)} with it)"


def _words(line: StepWorth) -> str:
    ratio, more = line.token_ratio, ""
    if ratio is not None and abs(ratio - 1) > ALIKE:
        more = f"; without it, {number(ratio)} times the training tokens"
    return f"<b>{esc(line.verdict)}</b>{esc(f': {line.failure}' if line.failure else more)}"
