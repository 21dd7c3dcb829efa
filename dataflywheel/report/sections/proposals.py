"""Proposals: how many were made, where they were lost, what an accepted row cost, and some before and after."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.report.drawing.markup import details, esc, note, passage, section, table
from dataflywheel.report.drawing.numbers import count, money, percent, short
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.changed_cells import changed_cells
from dataflywheel.report.sections.sought import sought
from dataflywheel.rows.text import text_of

FATES = ("failed", "left", "rejected", "surplus")
SHOWN = 4
"""Examples of each kind and step."""
OPEN = 5
"""Reasons that are not folded away."""


def proposals(run: Run) -> str:
    """The section, or nothing for a run in which nothing was written."""
    steps = [step for step in run.steps if step.details.get("funnel")]
    if not steps:
        return ""
    body = (
        _yield(steps)
        + "".join(map(sought, steps))
        + "".join(map(changed_cells, steps))
        + _reasons(steps)
        + "".join(_examples(run, step) for step in steps)
    )
    lead = "Every changed or new row passed its gates; what did not is here with the reason."
    return section("proposals", "Changed and new rows", body, esc(lead))


def _name(step: Step) -> str:
    return f"round {step.round}, {step.name} by {step.details.get('by')}"


def _yield(steps: list[Step]) -> str:
    rows = []
    for step in steps:
        found: dict[str, Any] = step.details["funnel"]
        proposed, accepted = int(found["proposed"]), int(found["accepted"])
        each = found.get("per_accepted") or {}
        cost = "free" if not found.get("calls") else f"{short(each.get('tokens'))} tokens, {money(each.get('usd'))}"
        numbers = [proposed, *(found[name] for name in FATES), accepted]
        share = percent(accepted / proposed) if proposed else "0%"
        short_of = esc(str(step.details.get("shortfall") or ""))
        rows.append([esc(_name(step)), *(esc(count(n)) for n in numbers), esc(share), esc(cost), short_of])
    head = ["step", "proposed", *FATES, "accepted", "yield", "each accepted row", "short of"]
    return table("From proposals to rows", head, rows, numeric=range(1, 8), css="stack")


def _reasons(steps: list[Step]) -> str:
    rows = []
    for step in steps:
        found = step.details["funnel"]
        lost = [(one["gate"], one["reason"], one["rows"]) for one in found.get("rejections") or []]
        lost += [("no row written", one["reason"], one["rows"]) for one in found.get("failures") or []]
        if step.name == "renew":  # its rows stay in any case: what is lost is the variant
            lost += [("no variant", one["reason"], one["rows"]) for one in found.get("left_as_they_were") or []]
        rows += [[esc(_name(step)), esc(gate), esc(reason), esc(count(n))] for gate, reason, n in lost]
    if not rows:
        return note("No proposal was turned away.")
    found = table("Why proposals were lost", ["step", "gate", "reason", "proposals"], rows, numeric=(3,), css="stack")
    return found if len(rows) <= OPEN else details("Why proposals were lost", found)


def _examples(run: Run, step: Step) -> str:
    path = step.directory / "proposals.parquet"
    if not path.is_file():
        return ""
    ledger = pq.ParquetFile(path).read(columns=["fate", "gate", "reason", "detail", "row", "before", "parents"])
    parts = []
    for fate, title in (("accepted", "Accepted"), ("rejected", "Turned away")):
        chosen = ledger.filter(pc.equal(ledger["fate"], fate)).slice(0, SHOWN).to_pylist()
        shown = [] if step.details.get("hides_before") else chosen
        origins = run.rows({one["parents"][0] for one in shown if one["parents"]})
        parts += [_example(title, one, origins) for one in chosen]
    return details(f"{_name(step)}: before and after", "".join(parts)) if parts else ""


def _example(title: str, one: dict[str, Any], origins: dict[str, dict[str, Any]]) -> str:
    parent = origins.get(one["parents"][0]) if one["parents"] else None
    why = f"{one['gate']}: {one['reason']} {one['detail']}".strip(": ") if one["gate"] else ""
    row = orjson.loads(one["row"]) if one["row"] else None
    before = passage(text_of(parent["messages"])) if parent else note("not shown here")
    after = passage(text_of(row["messages"])) if row else ""
    word = "before" if one["before"] else "made from"
    return f"<h4>{esc(title)}{esc(f' ({why})') if why else ''}</h4><p>{word}</p>{before}<p>after</p>{after}"
