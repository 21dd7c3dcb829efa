"""Distributions of the signals that decided, with the thresholds on them, kept against dropped."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.report.drawing.charts import histogram
from dataflywheel.report.drawing.markup import details, esc, note, section
from dataflywheel.report.drawing.numbers import count, finite, number, percent
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.funnel import step_title

CHARTS_PER_STEP = 6


def thresholds(step: Step) -> dict[str, list[float]]:
    """Limits by column: the bounds of a filter, the score that a selection ended at."""
    found: dict[str, list[float]] = {}
    for name, bounds in (step.details.get("bounds") or {}).items():
        found[name] = [value for bound in bounds if (value := finite(bound)) is not None]
    column, value = step.details.get("score_column"), finite(step.details.get("threshold"))
    if column:
        found.setdefault(str(column), []).extend([] if value is None else [value])
    return found


def numeric_columns(table: pa.Table) -> list[str]:
    """Number columns in table order, without the status codes."""

    def numeric(field: pa.Field) -> bool:
        return bool(pa.types.is_floating(field.type) or pa.types.is_integer(field.type))

    return [field.name for field in table.schema if numeric(field) and not field.name.endswith(".status")]


def with_score(step: Step, table: pa.Table) -> tuple[pa.Table, dict[str, list[float]]]:
    """The table with the score that a selection ranked by as its first column, and all thresholds.

    The score's threshold is drawn only where the cut is clean: no dropped row scores above a kept one.
    """
    limits = thresholds(step)
    scores = step.decisions.select(["id", "action", "score"]).filter(pc.is_valid(pc.field("score")))
    if step.name != "select" or "score_column" in step.details or not len(scores):
        return table, limits
    kept = np.asarray(pc.equal(scores["action"], "kept"))
    values = scores["score"].to_numpy()
    name = f"score ({(step.details.get('notes') or {}).get('by') or 'rank'})"
    places = pc.index_in(table["id"], value_set=scores["id"].combine_chunks())
    table = table.add_column(1, name, scores["score"].combine_chunks().take(places.combine_chunks()))
    clean = kept.any() and (~kept).any() and values[kept].min() >= values[~kept].max()
    return table, {name: [float(values[kept].min())] if clean else []} | limits


def _chart(step: Step, table: pa.Table, name: str, limits: list[float], dropped: np.ndarray) -> str:
    values = np.asarray(table[name].to_numpy(), dtype=np.float64)
    known = np.isfinite(values)
    if not known.any():
        return f'<figure class="plot">{note(f"{name}: no row has a value.")}</figure>'
    title = f"{name} of the rows that entered {step.name}"
    drawing = histogram(
        f"{step.key}-{name}", title, values[known & ~dropped], values[known & dropped], thresholds=limits
    )
    missing = f"; {count((~known).sum())} rows without a value" if (~known).any() else ""
    median = f"median {number(float(np.median(values[known])))}"
    return (
        f'<figure class="plot"><figcaption><b>{esc(name)}</b> <span>{esc(median)}{esc(missing)}</span></figcaption>'
        f"{drawing}</figure>"
    )


def _step(run: Run, step: Step) -> str:
    table = step.signals
    if table is None or not len(table):
        return ""
    table, limits = with_score(step, table)
    columns = numeric_columns(table)
    # What decided comes first; the other signals of the step follow as far as there is room.
    names = [n for n in limits if n in columns] + [n for n in columns if n not in limits]
    dropped = step.dropped_mask(table["id"])
    charts = "".join(_chart(step, table, name, limits.get(name, []), dropped) for name in names[:CHARTS_PER_STEP])
    if not charts:
        return ""
    share = f"{count(dropped.sum())} of {count(len(table))} rows dropped ({percent(float(dropped.mean()))})"
    more = len(names) - CHARTS_PER_STEP
    rest = note(f"{more} more signals are in columns.parquet of {step.key}.") if more > 0 else ""
    body = f'<div class="plots">{charts}</div>{rest}'
    if step.round > 1:  # as in the round before, as a rule
        return details(f"{step_title(run, step)}: {share}", body)
    return f"<h3>{esc(step_title(run, step))} <small>{esc(share)}</small></h3>{body}"


def signals(run: Run) -> str:
    """One small chart a signal, by step; "" where no step kept any."""
    body = "".join(_step(run, step) for step in run.row_steps)
    if not body:
        return ""
    lead = (
        '<span class="key kept"></span> kept <span class="key dropped"></span> dropped '
        '<span class="key limit"></span> threshold. Bars are counts of rows.'
    )
    return section("signals", "Signals and thresholds", body, lead)
