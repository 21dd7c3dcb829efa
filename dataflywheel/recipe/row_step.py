"""Steps that keep some rows and drop others: measure, decide, write rows and decisions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import Cleaner, Columns, Cost, Decisions, FlywheelError, Status, TargetView
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.recipe.asking import asked_cost, failed_at_endpoint, write_asked
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.ingest_step import slices_by_id
from dataflywheel.recipe.slicing import slice_column
from dataflywheel.recipe.step_record import StepRecord
from dataflywheel.recipe.steps import Step, capped
from dataflywheel.rows.lookup import RowLookup
from dataflywheel.rows.parts import PartWriter, iter_among, read_rows
from dataflywheel.rows.schema import ROW_SCHEMA
from dataflywheel.rows.text import texts
from dataflywheel.selection.combine import Select, select_rows
from dataflywheel.selection.order import SLICE
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.decisions import counts, write_decisions


def apply_row_step(context: Context, step: Step, rows: Path, output: Path, fingerprint: str) -> dict[str, Any]:
    """Run a cleaner or a selection on a directory of rows; gives the metrics that it wrote."""
    started = time.perf_counter()
    columns = context.measured(rows, step.needs(), step.title, step.signal_parameters())
    if SLICE in step.needs():
        columns.values[SLICE] = slice_column(context, rows, columns.ids)
    ranking = time.perf_counter()
    decisions, details, order = decide(context, step, rows, columns)
    ranking = time.perf_counter() - ranking
    check_complete(step.title, columns, decisions)
    if isinstance(step.work, Filter):
        details["bounds"] = {name: list(levels) for name, levels in step.work.thresholds(columns).items()}
    ids = pa.array(columns.ids, pa.string())
    measuring = context.measuring_seconds(step.needs(), ids, step.signal_parameters())
    with atomic_directory(output) as aside:
        kept = write_kept(rows, decisions, aside / "rows", order)
        _write_scalars(aside / "columns.parquet", columns)
        again = write_asked(aside / "asked.parquet", context, step, ids)
        cost = Cost(seconds=round(time.perf_counter() - started, 3)) + asked_cost(context, output)
        details |= failed_at_endpoint(context, again)
        details |= {"measuring_seconds": round(measuring, 3), "ranking_seconds": round(ranking, 3)}
        return write_decided(aside, step.name, fingerprint, step.parameters(), decisions, kept, cost, details)


def decide(
    context: Context, step: Step, rows: Path, columns: Columns
) -> tuple[Decisions, dict[str, Any], Sequence[str] | None]:
    """The step's decisions, one a row, what it notes for the report, and the order of the kept rows, where it gives
    them one."""
    if isinstance(step.work, Select):
        rng = np.random.default_rng([context.recipe.seed, step.index])
        spec = capped(step.work, context.recipe.budget, len(columns))
        columns = with_target(context, spec, columns, step.title)
        selection, decisions = select_rows(columns, spec, rng)
        notes = {
            k: v for k, v in selection.notes.items() if isinstance(v, str | int | float | bool | list | dict | None)
        }
        order = None if spec.ordering() is None else [str(i) for i in columns.ids[selection.order]]
        return decisions, {"by": step.work.label(), "budget": str(spec.keep), "notes": notes}, order
    assert isinstance(step.work, Cleaner)
    part = getattr(step.work, "part", step.work.text)
    fetch = partial(RowLookup(rows).texts, part=part)
    decisions = step.work.decide(columns, fetch, target_view(context, step))
    return decisions, dict(decisions.notes), None


def target_view(context: Context, step: Step) -> TargetView | None:
    """The evaluation rows with the same signals, where the recipe names any."""
    if context.target is None:
        return None
    messages = read_rows(context.target, ["messages"])["messages"]
    found = context.measured(context.target, step.needs(), step.title, step.signal_parameters())
    return TargetView(found, texts(messages, "prompt"), texts(messages, "answer"))


def with_target(context: Context, spec: Select, columns: Columns, title: str) -> Columns:
    """The columns with those of the evaluation rows beside them, where a selector compares rows with these."""
    if not spec.targeted:
        return columns
    assert context.guide is not None, "the plan refuses a targeted selection without a target"
    target = context.measured(context.guide, spec.needs(), title, spec.target_parameters())
    target.values[SLICE] = np.array(list(slices_by_id(context, context.guide).values()), dtype=object)
    return replace(columns, target=target)


def check_complete(title: str, columns: Columns, decisions: Decisions) -> None:
    """Rows in = rows out + decisions: every row has exactly one.

    Raises:
        FlywheelError: the step left a row without a decision, or decided twice.
    """
    if decisions.ids == columns.ids.tolist():  # most steps decide in the order of the rows
        return
    if len(decisions.ids) != len(columns) or set(decisions.ids) != set(columns.ids):
        raise FlywheelError(
            f"{title}: {len(columns)} rows came in and {len(set(decisions.ids))} were decided on; "
            "this is a fault of the step"
        )


def write_kept(rows: Path, decisions: Decisions, output: Path, order: Sequence[str] | None = None) -> int:
    """Stream the kept rows, in their order, to a new directory; memory is bounded by a batch. With `order`, the ids of
    all kept rows, they are written in that one, and held at once."""
    kept = pa.array([i for i, a in zip(decisions.ids, decisions.action, strict=True) if a != "dropped"], pa.string())
    found = (pa.Table.from_batches([batch]) for batch in iter_among(rows, kept))
    with PartWriter(output) as writer:
        if order is not None:
            whole = pa.concat_tables([ROW_SCHEMA.empty_table(), *(table.cast(ROW_SCHEMA) for table in found)])
            writer.write(whole.take(pc.index_in(pa.array(order, pa.string()), value_set=whole["id"])))
            return len(order)
        for table in found:
            writer.write(table)
    return writer.rows


def write_decided(
    directory: Path,
    step: str,
    fingerprint: str,
    params: Mapping[str, Any],
    decisions: Decisions,
    kept: int,
    cost: Cost,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """Write what a step decided on the rows that came in, and its metrics, which it gives."""
    write_decisions(directory / "decisions.parquet", decisions)
    record = StepRecord(step, fingerprint, params, len(decisions.ids), kept, cost, counts(decisions), details)
    return record.write(directory)


def _write_scalars(path: Path, columns: Columns) -> None:
    """The one-number columns of the rows that came in, for the report and `why`; unmeasured values are null."""
    table: dict[str, pa.Array] = {"id": pa.array(columns.ids, pa.string())}
    for name, values in columns.values.items():
        if name.startswith("row.") or name.endswith((".status", ".error")) or values.ndim != 1:
            continue
        status = columns.values.get(name.split(".")[0] + ".status")
        missing = None if status is None else np.asarray(status) > Status.TRUNCATED
        table[name] = pa.array(values, mask=missing, from_pandas=True)
    pq.write_table(pa.table(table), path, compression="zstd", compression_level=1)
