"""Proposals: how many were made, where they were lost, what an accepted row cost, and some before and after."""

from __future__ import annotations

from typing import Any

from dataflywheel.report.drawing.markup import details, esc, note, section, table
from dataflywheel.report.drawing.numbers import count, money, percent, short
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.before_after import before_and_after
from dataflywheel.report.sections.changed_cells import changed_cells
from dataflywheel.report.sections.sought import sought
from dataflywheel.report.sections.variety import variety

FATES = ("failed", "left", "rejected", "surplus")
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
        + variety(run, [step for step in steps if step.name not in ("mend", "renew")])
        + _reasons(steps)
        + "".join(before_and_after(run, step, _name(step)) for step in steps)
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
        cost = f"{short(each.get('tokens'))} tokens, {money(each.get('usd'))}" if accepted else "none was accepted"
        cost = cost if found.get("calls") else "free"
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
