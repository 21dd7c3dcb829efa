"""Steps that change rows or add new ones: propose, pass the gates, and fold what was accepted over the rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import Cost, Decisions, UsageError
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.proposing.fulfil import Fulfilment, Terms, fulfil
from dataflywheel.proposing.kinds import Gate, Proposer, Surroundings
from dataflywheel.proposing.ledger import Fate, funnel, write_ledger
from dataflywheel.proposing.seeds import first_tag
from dataflywheel.recipe.asking import asked_cost, failed_at_endpoint, hand_in
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.failures import Failures, Student, facts_of, find_failures, why_none, why_not_yet
from dataflywheel.recipe.ingest_step import slices_by_id
from dataflywheel.recipe.pair_writers import written_by
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.slicing import slices_of
from dataflywheel.recipe.step_record import StepRecord
from dataflywheel.recipe.steps import Step
from dataflywheel.rows.builder import build as build_table
from dataflywheel.rows.parts import PartWriter, iter_among, read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.decisions import counts, write_decisions

ROUND = 1009
"""What the random seed moves by from round to round, so that seeds are taken in another order."""


def apply_propose_step(
    context: Context,
    step: Step,
    rows: Path,
    output: Path,
    fingerprint: str,
    seeds: Path | None = None,
    earlier: Path | None = None,
    student: Student | None = None,
) -> dict[str, Any]:
    """Run a rewriter or generator on a directory of rows; gives the metrics that it wrote.

    `seeds` is what a generator writes from where it is not `rows`, `earlier` the training rows of rounds before,
    `student` the model that was trained last, whose failures some generators write from.
    """
    started = time.perf_counter()
    work = step.work
    assert isinstance(work, Enhance | Generate)
    proposer = context.proposer(*next(iter(work.by.items())))
    named = work.gate_specs(context.target is not None)
    gates = [context.gate(name, given) for name, given in named.items()]
    table: list[Row] = read_rows(rows).to_pylist()
    failures: Failures | None = None
    if isinstance(work, Enhance):
        done = _rewrite(context, step, work, proposer, gates, rows, table)
    elif proposer.from_failures and student is None:
        done = Fulfilment(shortfall=why_not_yet(proposer.name))
    else:
        done, failures = _generate(context, step, work, proposer, gates, rows, seeds, earlier, student)
    with atomic_directory(output) as aside:
        changed = {p.before["id"]: p.row for p in done.accepted if p.before is not None and p.row is not None}
        new = [] if isinstance(work, Enhance) else [p.row for p in done.accepted if p.row is not None]
        decisions = _decisions(table, done, changed, new)
        kept = _write(rows, aside / "rows", changed, new, decisions)
        write_decisions(aside / "decisions.parquet", decisions)
        write_ledger(aside / "proposals.parquet", done.entries)
        cost = Cost(seconds=round(time.perf_counter() - started, 3)) + asked_cost(context, output)
        details = {
            "by": proposer.name,
            "hides_before": proposer.hides_before,
            "gates": [gate.name for gate in gates],
            "funnel": funnel(done.entries),
            "shortfall": done.shortfall,
            "missing": done.missing,
            "wanted": dict(step.amounts),
            "added": [row["id"] for row in new],
            "writer": written_by(context, proposer, next(iter(work.by.values()))),
            **facts_of(failures),
            **failed_at_endpoint(context),
        }
        made = StepRecord(step.name, fingerprint, step.parameters(), len(table), kept, cost, counts(decisions), details)
        return made.write(aside)


def _rewrite(
    context: Context,
    step: Step,
    work: Enhance,
    proposer: Proposer,
    gates: list[Gate],
    rows: Path,
    table: list[Row],
) -> Fulfilment:
    if not proposer.rewrites:
        raise UsageError(f"enhance: {proposer.name} writes new rows; name it under `generate`")
    chosen = np.ones(len(table), dtype=bool)
    if work.where:
        columns = context.measured(rows, tuple(work.where), step.title)
        decided = Filter(bounds=work.where, unmeasured="drop").decide(columns, lambda ids: [], None)
        chosen = np.array([action == "kept" for action in decided.action])
    seeds = [row for row, wanted in zip(table, chosen, strict=True) if wanted]
    around = Surroundings(rows, context.target)
    known = frozenset(row["id"] for row in table)
    return fulfil(
        proposer, gates, seeds, Terms(wave=work.wave), around, context.recipe.seed + step.index,
        known=known, settle=hand_in, watch=partial(_watch, context, step),
    )  # fmt: skip


def _generate(
    context: Context,
    step: Step,
    work: Generate,
    proposer: Proposer,
    gates: list[Gate],
    rows: Path,
    seeds: Path | None,
    earlier: Path | None,
    student: Student | None,
) -> tuple[Fulfilment, Failures | None]:
    if proposer.rewrites:
        raise UsageError(f"generate: {proposer.name} rewrites rows; name it under `enhance`")
    assert context.pool is not None
    origin = {"rows": seeds or rows, "pool": context.pool, "target": context.guide}[work.source]
    assert origin is not None
    written_from: list[Row] = read_rows(origin).to_pylist()
    wanted = work.wanted(len(written_from))
    if proposer.writes_from == "nothing":
        written_from = []
    place, quotas, failures = None, dict(step.amounts), None
    if work.per == "slice" or quotas:
        slices = slices_by_id(context, origin) if work.source == "target" else slices_of(context, origin)
        place = partial(_slice, slices)
    if proposer.from_failures:
        assert student is not None
        failures = find_failures(context, student, work, origin, written_from, place)
        written_from = [row for row in written_from if row["id"] in failures.scores]
        if not written_from:
            return Fulfilment(shortfall=why_none(proposer.name, work.source), missing=quotas or {"": wanted}), failures
    if place is not None:
        quotas = quotas or _even(wanted, sorted({place(row) for row in written_from} - {""}))
    elif work.per == "tag":
        quotas = _even(wanted, sorted({first_tag(row) for row in written_from} - {""}))
    terms = Terms(rows=wanted, quotas=quotas, wave=work.wave, visits=work.most_visits(), least_yield=work.least_yield)
    # What is written from the target is new beside the rows; copies of the target are for the gate that looks for them.
    there = origin if work.source != "target" else seeds or rows
    held = {origin, there, rows, *([earlier] if earlier else [])}
    known = frozenset(i for path in held for i in read_rows(path, ["id"])["id"].to_pylist())
    around = Surroundings(there, context.target, _made(earlier))
    done = fulfil(
        proposer, gates, written_from, terms, around, context.recipe.seed + step.index + ROUND * (step.round - 1),
        slice_of=place, known=known, settle=hand_in, watch=partial(_watch, context, step),
    )  # fmt: skip
    return (done if failures is None else replace(done, entries=failures.told(done.entries))), failures


def _made(earlier: Path | None) -> list[Row]:
    """Rows that were written in rounds before: new ones must differ from them."""
    if earlier is None:
        return []
    rows: list[Row] = read_rows(earlier).to_pylist()
    return [row for row in rows if row["made_by"]]


def _slice(slices: Mapping[str, str], row: Row) -> str:
    return slices.get(row["id"], "")


def _even(wanted: int, names: list[str]) -> dict[str, int]:
    """So many rows over the names, the first of them one more where they do not divide.

    >>> _even(5, ["a", "b"])
    {'a': 3, 'b': 2}
    """
    whole, rest = divmod(wanted, max(1, len(names)))
    return {name: whole + (i < rest) for i, name in enumerate(names)}


def _watch(context: Context, step: Step, accepted: int, wanted: int) -> None:
    context.watcher.advanced(step.title, "accepted", accepted, wanted)


def _decisions(table: list[Row], done: Fulfilment, changed: Mapping[str, Row], new: list[Row]) -> Decisions:
    """One decision for every row that came in, and one for every row that was added."""
    decisions = Decisions()
    told = {e.proposal.parents[0]: e for e in done.entries if e.proposal.parents and e.fate is not Fate.ACCEPTED}
    dropped = {id for id, entry in told.items() if entry.proposal.facts.get("drop")}
    for row in table:
        entry = told.get(row["id"]) if not new else None
        if row["id"] in changed:
            decisions.add(row["id"], "changed", "rewritten", changed[row["id"]]["id"])
        elif row["id"] in dropped and entry is not None:
            turned_away = f"its rewrite was turned away: {entry.gate}, " if entry.gate else ""
            decisions.add(row["id"], "dropped", f"{turned_away}{entry.reason}")
        elif entry is not None:
            where = f"{entry.gate}, " if entry.gate else ""
            decisions.add(row["id"], "kept", f"as it was: {where}{entry.reason}")
        else:
            decisions.add(row["id"], "kept", "as it was")
    for row in new:
        decisions.add(row["id"], "added", f"written by {row['made_by']}", row["parents"][0] if row["parents"] else None)
    return decisions


def _write(rows: Path, output: Path, changed: Mapping[str, Row], new: list[Row], decisions: Decisions) -> int:
    """The rows in their order, with the changed ones in place and the new ones at the end."""
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
