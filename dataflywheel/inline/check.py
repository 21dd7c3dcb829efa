"""A gate over rows of any kind, in one line of Python."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, UsageError
from dataflywheel.inline.given import Given, given
from dataflywheel.inline.line import Line, lines_of
from dataflywheel.inline.outcome import Decided, Outcome
from dataflywheel.inline.session import named, session
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.recipe.bill import asked_cost
from dataflywheel.recipe.context import Context
from dataflywheel.rows.ingest import ingest
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.quarantine import first_reason
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.rows.schema import Row
from dataflywheel.store.atomic import atomic_directory


def check(
    rows: object,
    gate: str | dict[str, Any],
    *,
    before: object = None,
    against: object = None,
    target: object = None,
    source: str = "",
    facts: Sequence[str] = (),
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Outcome:
    """Let rows pass a gate: `fw.check(rows, gate="refusal").dropped`.

    Args:
        rows: in any form that `select` takes; or pairs `(before, after)` of records, as tuples.
        gate: the gate, or `{gate: parameters}`.
        before: what each row was before it was rewritten, in the order of the rows, for gates that compare the two.
        against: rows that there are already, for gates that want something new; `target` evaluation rows likewise.
        source: the field of the records that holds the text which the answer must rest on.
        facts: fields of the records that a gate checks by: `gold`, `tests`, `program`, `span`.
        options: `models`, `budget`, `seed`, `runs`, `watcher`, as in a recipe.

    Raises:
        UsageError: no such gate, what it needs is not there, or not as many rows before as after.
    """
    name, parameters = named(gate)
    catalog.get(name, Gate)
    pairs = _pairs(rows) if before is None else None
    if pairs:
        before, rows = [was for was, _ in pairs], [now for _, now in pairs]
    now = given(rows, Path(home), columns, roles)
    was = None if before is None else _read(given(before, Path(home), columns, roles))
    with session("check", now, name, parameters, Path(home), of=Gate, **options) as context:
        lines = lines_of(context.run.step(0, "pool"), now.position)
        if was is not None and len(was) != (places := len({line.index for line in lines})):
            raise UsageError(f"check: {len(was):,} rows before and {places:,} after; each row needs what it was")
        around = Surroundings(_beside(context, "against", against, home), _beside(context, "target", target, home))
        began, step = time.perf_counter(), context.run.step(1, "check")
        built = context.gate(name, parameters)
        found = _checked(built, context, now, lines, was, around, source, facts)
        spent = asked_cost(context, step)
        context.run.bill(step, Cost(seconds=round(time.perf_counter() - began, 3)) + spent)
    return Outcome(name, now, tuple(found), built.unread(), tuple(lines))


def _checked(
    gate: Gate,
    context: Context,
    now: Given,
    lines: Sequence[Line],
    was: Sequence[Row | str] | None,
    around: Surroundings,
    source: str,
    facts: Sequence[str],
) -> list[Decided]:
    """One decision a line; identical rows are checked each for itself, since they may have been different before."""
    assert context.pool is not None
    known: dict[str, Any] = {row["id"]: row for row in read_rows(context.pool).to_pylist()}
    given_as = now.records(lines) if source or facts else [{}] * len(lines)
    order = {index: number for number, index in enumerate(dict.fromkeys(line.index for line in lines))}
    found: list[Decided | None] = []
    proposals: list[Proposal] = []
    for line, record in zip(lines, given_as, strict=True):
        earlier = None if was is None else was[order[line.index]]
        why = line.unread or (f"what it was before: {earlier}" if isinstance(earlier, str) else "")
        if why:
            found.append(Decided(line.index, False, why, id=line.id))
            continue
        told = {name: record[name] for name in facts if record.get(name) is not None}
        replaced = None if earlier is None or isinstance(earlier, str) else earlier
        text = str(record.get(source) or "") if source else ""
        parents = ((replaced or known[line.id])["id"],)
        proposals.append(Proposal(parents, known[line.id], before=replaced, source=text, facts=told))
        found.append(None)
    checks = iter(gate.check(proposals, around) if proposals else [])
    return [one or _verdict(line, next(checks)) for line, one in zip(lines, found, strict=True)]


def _verdict(line: Line, check: Check) -> Decided:
    reason = ": ".join(filter(None, (check.reason, check.detail))) or ("passed" if check.passed else "rejected")
    score = next(iter(check.facts.values()), None)
    return Decided(line.index, check.passed, reason, score, line.id)


def _pairs(rows: object) -> list[tuple[Any, Any]]:
    """Rows that were given with what they were before; none where they are rows alone."""
    pairs = list(rows) if isinstance(rows, list | tuple) else []
    there = [isinstance(one, tuple) and len(one) == 2 for one in pairs]
    if any(there) and not all(there):
        raise UsageError(f"check: entry {there.index(False)} is no pair (before, after), and others are")
    return pairs if any(there) else []


def _read(rows: Given) -> list[Row | str]:
    """The first row of each record, in order, or why there is none."""
    found: list[Row | str] = []
    for one in rows.inputs():
        for parsed in iter_parsed(one):
            bad = {bad.line: f"cannot be read: {first_reason({**vars(bad), 'line': 0})}" for bad in parsed.quarantined}
            good = dict(zip(reversed(parsed.lines), reversed(parsed.rows), strict=True))
            found += [good[line] if line in good else bad[line] for line in sorted({*good, *bad})]
    return found


def _beside(context: Context, name: str, rows: object, home: str | Path) -> Path | None:
    """A folder of rows that surround those which are checked."""
    if rows is None:
        return None
    with atomic_directory(context.run.path / name) as aside:
        ingest(given(rows, Path(home)).inputs(), aside)
    return context.run.path / name
