"""Rows that some are kept of and others dropped, as a step leaves them: written once all are decided on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import Columns, Cost, Decisions, FlywheelError, Status
from dataflywheel.recipe.bill import asked_cost, failed_at_endpoint, measuring_cost, without_value, write_asked
from dataflywheel.recipe.needs import signals_of
from dataflywheel.recipe.steps.changed_rows import AS_THEY_ARE, Changes
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.builder import build as build_table
from dataflywheel.rows.parts import PartWriter, iter_among
from dataflywheel.rows.schema import ROW_SCHEMA, Row
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.decisions import counts, write_decisions
from dataflywheel.store.record import StepRecord

ACTIONS = ("kept", "dropped", "changed")
"""What a step may decide of a row that came in."""


class Decided(NamedTuple):
    """One decision a row, what the step notes for the report, the order of the kept rows, where it gives one, and what
    rows become."""

    decisions: Decisions
    details: dict[str, Any]
    order: Sequence[str] | None = None
    changes: Changes = AS_THEY_ARE


def write_rows(
    step: Step, given: Given, columns: Columns, decided: Decided, began: float, ranking: float
) -> StepRecord:
    """Leave the kept rows of `given.state`, the decisions and the columns behind them in the step's directory; gives
    the record.

    `began` is when the step did (`time.perf_counter`), `ranking` how many seconds it decided.
    """
    decisions, details, order, changes = decided
    check_complete(step.title, columns.ids.tolist(), decisions)
    context, ids = given.context, pa.array(columns.ids, pa.string())
    measuring = context.measuring_seconds(step.needs(), ids, step.signal_parameters())
    with atomic_directory(given.output) as aside:
        kept = write_kept(given.state.rows, decisions, aside / "rows", order, changes)
        write_scalars(aside / "columns.parquet", columns)
        again = write_asked(aside / "asked.parquet", context, step.needs(), step.signal_parameters(), ids)
        cost = Cost(seconds=round(time.perf_counter() - began, 3)) + asked_cost(context, given.output)
        cost += _passes(step, given, ids)
        details |= failed_at_endpoint(context, again)
        details |= without_value(context, step.needs(), step.signal_parameters(), ids)
        details |= {"measuring_seconds": round(measuring, 3), "ranking_seconds": round(ranking, 3)}
        return write_decided(aside, step.record(given, kept, cost, details), decisions)


def _passes(step: Step, given: Given, ids: pa.Array) -> Cost:
    """Passes of models that measured what no step before had read, whenever it was; each round anew of what follows the
    model in training."""
    context, wanted = given.context, step.signal_parameters()
    before = [] if step.round > 1 else given.steps[: step.index - 1]
    read = {context.asked(name, one.signal_parameters()).same for one in before for name in signals_of(one.needs())}
    names = []
    for name in signals_of(step.needs()):
        asked = context.asked(name, wanted)
        if asked.follows or (step.round == 1 and asked.same not in read):
            names.append(name)
    passes = measuring_cost(context, names, ids, wanted)
    return Cost(forward=passes.forward, backward=passes.backward)


def check_complete(who: str, ids: Sequence[str], decisions: Decisions) -> None:
    """Rows in = rows out + decisions: every row has exactly one. `who` decided, as a message names it.

    Raises:
        FlywheelError: a row was left without a decision, or decided on twice; a decision is none that there is.
    """
    if unknown := sorted({str(action) for action in decisions.action} - set(ACTIONS)):
        raise FlywheelError(f"{who} decides {unknown[0]!r} of a row; a decision is one of {', '.join(ACTIONS)}")
    if decisions.ids == ids:  # most steps decide in the order of the rows
        return
    if len(decisions.ids) != len(ids) or set(decisions.ids) != set(ids):
        raise FlywheelError(
            f"{who}: {len(ids)} rows came in and {len(set(decisions.ids))} were decided on, with {len(decisions.ids)} "
            "decisions; every row has exactly one"
        )


def write_kept(
    rows: Path,
    decisions: Decisions,
    output: Path,
    order: Sequence[str] | None = None,
    changes: Changes = AS_THEY_ARE,
) -> int:
    """Write the rows that are not dropped to a new directory, those that are changed as what they become; gives how
    many.

    They keep the order in which they came, and a batch is held at a time; with `order`, the ids of all kept rows, they
    are written in that order, and all held at once.
    """
    kept = pa.array([i for i, a in zip(decisions.ids, decisions.action, strict=True) if a != "dropped"], pa.string())
    found = (changes.made(pa.Table.from_batches([batch])) for batch in iter_among(rows, kept))
    with PartWriter(output) as writer:
        if order is not None:
            whole = pa.concat_tables([ROW_SCHEMA.empty_table(), *(table.cast(ROW_SCHEMA) for table in found)])
            writer.write(whole.take(pc.index_in(pa.array(order, pa.string()), value_set=whole["id"])))
            return len(order)
        for table in found:
            writer.write(table)
    return writer.rows


def write_decided(directory: Path, record: StepRecord, decisions: Decisions) -> StepRecord:
    """Write what a step decided on the rows that came in, and its record, which counts the decisions and is given as
    it is read again."""
    write_decisions(directory / "decisions.parquet", decisions)
    return record.model_copy(update={"rows_in": len(decisions.ids), "counts": counts(decisions)}).write(directory)


def write_scalars(path: Path, columns: Columns) -> None:
    """The one-number columns of the rows that came in, for the report and `why`; unmeasured values are null."""
    table: dict[str, pa.Array] = {"id": pa.array(columns.ids, pa.string())}
    for name, values in columns.values.items():
        if name.startswith("row.") or name.endswith((".status", ".error")) or values.ndim != 1:
            continue
        status = columns.values.get(name.split(".")[0] + ".status")
        missing = None if status is None else np.asarray(status) > Status.TRUNCATED
        table[name] = pa.array(values, mask=missing, from_pandas=True)
    pq.write_table(pa.table(table), path, compression="zstd", compression_level=1)


def write_written(rows: Path, output: Path, changed: Mapping[str, Row], new: list[Row], decisions: Decisions) -> int:
    """The rows of a step that writes, in their order, with the changed ones in place and the new ones at the end."""
    dropped = pa.array(
        [i for i, action in zip(decisions.ids, decisions.action, strict=True) if action == "dropped"], pa.string()
    )
    with PartWriter(output) as writer:
        for batch in iter_among(rows, dropped, others=True):
            part = pa.Table.from_batches([batch])
            if not changed.keys().isdisjoint(part["id"].to_pylist()):
                part = build_table([changed.get(row["id"], row) for row in part.to_pylist()])
            writer.write(part)
        if new:
            writer.write(build_table(new))
    return writer.rows
