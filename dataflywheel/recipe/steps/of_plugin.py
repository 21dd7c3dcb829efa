"""What a kind of step of the user's own left, looked at before anything follows from it."""

from __future__ import annotations

import shutil

from dataflywheel.contracts import FlywheelError
from dataflywheel.plugins.place import named
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.record import StepRecord


def looked_at(step: Step, given: Given, record: object) -> StepRecord:
    """The record that the step gave; where it is wrong, what the step left is gone, so that no later run takes it over.

    Raises:
        FlywheelError: it is no record, states other rows than there are, or leaves a row without a decision; names the
            step's file and line.
    """
    wrong = _wrong(step, given, record)
    if not wrong and isinstance(record, StepRecord):
        return record
    shutil.rmtree(given.output, ignore_errors=True)
    raise FlywheelError(f"{step.title}: {named(step, 'do')} {wrong}")


def _wrong(step: Step, given: Given, record: object) -> str:
    if not isinstance(record, StepRecord):
        return f"gave {type(record).__name__}; wanted is a StepRecord, as `self.record(...)` makes it"
    rows, decided = given.output / "rows", given.output / "decisions.parquet"
    if not step.changes_rows or not rows.is_dir():
        return ""
    there = count_rows(rows)
    if record.rows_out is not None and record.rows_out != there:
        return f"states {record.rows_out} rows, and {there} are there"
    ids = set(read_rows(given.state.rows, ["id"])["id"].to_pylist())
    known = set(read_decisions(decided)["id"].to_pylist()) if decided.is_file() else set()
    lacking = sorted(ids - known)
    if lacking:
        return f"decides about {len(ids & known)} of {len(ids)} rows; each needs a decision, also row {lacking[0]}"
    return ""
