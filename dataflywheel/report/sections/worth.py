"""What each step was worth: the recipe with it against the recipe without it, beside what the step cost."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.charts import around_zero
from dataflywheel.report.drawing.markup import esc, section, table
from dataflywheel.report.drawing.numbers import count, finite, interval, money, number, plural, seconds
from dataflywheel.report.rundir import Run
from dataflywheel.report.verdict import metric_name

COLOURS = {"it helped": "ours", "it harmed": "worse"}
TELLING = 0.1
"""Share by which training tokens must differ for the verdict to say so."""


def worth(run: Run) -> str:
    """The section, or nothing where no step was left out."""
    compare = run.compare or {}
    lines: list[dict[str, Any]] = compare.get("steps") or []
    if not lines:
        return ""
    found = [line.get("worth") or {} for line in lines]
    bounds = [abs(b) for one in found for k in ("low", "high") if (b := finite(one.get(k))) is not None]
    rows = [_row(line, 1.1 * max(bounds, default=0.0)) for line in lines]
    head = ["step", f"worth in {metric_name(compare.get('metric'))}", "in words", "rows with it", "without it"]
    head += ["the step took", "paid"]
    seeds = plural(len(compare.get("seeds") or []), "seed")
    caption = (
        f"The model without the step against the model with it, paired over {seeds}, with 95% intervals; above zero "
        "the step helped"
    )
    lead = (
        "The whole recipe was run again without each step, and trained and evaluated like all the others. A step that "
        "adds or removes rows changes how much is trained as well."
    )
    body = table(caption, head, rows, numeric=(3, 4, 5, 6), css="stack")
    return section("worth", "What each step was worth", body, esc(lead))


def _row(line: dict[str, Any], widest: float) -> list[str]:
    found, cost = line.get("worth") or {}, line.get("cost") or {}
    mean, low, high = (finite(found.get(name)) for name in ("mean", "low", "high"))
    name = str(line.get("step"))
    drawn = shown = ""
    if mean is not None and low is not None and high is not None:
        shown = interval(mean, low, high, signed=True)
        colour = COLOURS.get(str(line.get("verdict")), "baseline")
        drawn = around_zero(f"worth-{name}", f"worth of {name}", shown, (mean, low, high), widest, colour)
    by = f" by {line['by']}" if line.get("by") else ""
    return [
        esc(name + by),
        drawn + esc(shown) if shown else "not measured",
        _words(line),
        esc(count(line.get("rows_with"))),
        esc(count(line.get("rows")) if line.get("rows") else "none"),
        esc(seconds(cost.get("seconds"))),
        esc(money(cost.get("usd"))),
    ]


def _words(line: dict[str, Any]) -> str:
    verdict, failure = str(line.get("verdict")), str(line.get("failure") or "")
    ratio = finite(line.get("token_ratio"))
    more = ""
    if ratio is not None and abs(ratio - 1) > TELLING:
        more = f"; without it, {number(ratio)} times the training tokens"
    return f"<b>{esc(verdict)}</b>{esc(f': {failure}' if failure else more)}"
