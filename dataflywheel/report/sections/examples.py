"""Rows to look at: what each step dropped, changed and kept, with the reason, and the row that a copy was a copy of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dataflywheel.report.markup import clip, details, esc, note, passage, section
from dataflywheel.report.numbers import count, finite, number
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.funnel import reason_class, step_title, without_numbers
from dataflywheel.rows.text import part_of

DROPPED_SHOWN, CHANGED_SHOWN, KEPT_SHOWN = 6, 2, 2

Decision = dict[str, Any]


def spread(items: list[Decision], most: int) -> list[Decision]:
    """At most `most` decisions: every reason class in turn, and within a class from its start to its end."""
    classes: dict[str, list[Decision]] = {}
    for item in items:
        classes.setdefault(without_numbers(reason_class(str(item["reason"]))), []).append(item)
    share = max(1, -(-most // max(len(classes), 1)))
    queues = []
    for members in sorted(classes.values(), key=len, reverse=True):
        places = np.unique(np.linspace(0, len(members) - 1, min(share, len(members))).astype(int))
        queues.append([members[i] for i in places])
    turns = [queue[i] for i in range(share) for queue in queues if i < len(queue)]
    return turns[:most]


def pick(step: Step) -> list[Decision]:
    """The decisions to show of one step: dropped and changed ones by reason, the best and the last of the kept."""
    decisions = step.decisions.to_pylist()
    by_action: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_action.setdefault(decision["action"], []).append(decision)
    kept = sorted(by_action.get("kept", []), key=lambda d: (-(finite(d["score"]) or 0.0), d["id"]))
    ends = [kept[0], kept[-1]][: len(kept)] if kept else []
    changed = spread(by_action.get("changed", []) + by_action.get("added", []), CHANGED_SHOWN)
    return spread(by_action.get("dropped", []), DROPPED_SHOWN) + changed + ends[:KEPT_SHOWN]


def _row(row: dict[str, Any] | None, id: str, heading: str) -> str:
    if row is None:
        absent = f"{clip(id, 40)}: its text is not in this run"
        return f'<div class="row"><h5>{esc(heading)}</h5><p class="where">{esc(absent)}</p></div>'
    messages = row["messages"] or []
    where = " \u00b7 ".join(part for part in (str(row["source"] or ""), id[:12]) if part)
    rejected = ""
    if row["rejected"]:
        rejected = f'<span class="part">rejected</span>{passage(part_of(row["rejected"], "answer"))}'
    return (
        f'<div class="row"><h5>{esc(heading)} <span class="where">{esc(where)}</span></h5>'
        f'<span class="part">prompt</span>{passage(part_of(messages, "prompt"))}'
        f'<span class="part">answer</span>{passage(part_of(messages, "answer"))}{rejected}</div>'
    )


def example(decision: Decision, rows: dict[str, dict[str, Any]]) -> str:
    """One decision as a card: the row, and beside it the row it points at."""
    action, other = str(decision["action"]), decision["other"]
    score = finite(decision["score"])
    scored = f' <span class="score">score {esc(number(score))}</span>' if score is not None else ""
    headings = {"dropped": ("this row was dropped", "it matched this row"), "changed": ("after", "before")}
    own, theirs = headings.get(action, ("this row", "its origin"))
    body = _row(rows.get(decision["id"]), decision["id"], own)
    if other:
        body += _row(rows.get(other), other, theirs)
    title = f'<span class="badge">{esc(action)}</span> {esc(decision["reason"])}{scored}'
    return (
        f'<article class="example {esc(action)}"><h4>{title}</h4>'
        f'<div class="{"pair" if other else "single"}">{body}</div></article>'
    )


def _ids(picked: Iterable[list[Decision]]) -> set[str]:
    return {id for decisions in picked for d in decisions for id in (d["id"], d["other"]) if id}


def examples(run: Run) -> str:
    """Six to ten rows a step."""
    picked = {step.key: pick(step) for step in run.row_steps if step.name != "pool"}
    rows = run.rows(_ids(picked.values()))
    blocks: list[str] = []
    for step in run.row_steps:
        chosen = picked.get(step.key)
        if not chosen:
            continue
        cards = "".join(example(decision, rows) for decision in chosen)
        dropped = len(step.dropped_ids)
        title = f"{step_title(run, step)}: {len(chosen)} examples, {count(dropped)} rows dropped in all"
        blocks.append(details(title, cards, opened=not blocks))
    if not blocks:
        return section("examples", "Rows to look at", note("No step of this run decided on single rows."))
    lead = "Chosen so that every reason is seen, from the start to the end of the pool; long texts are cut."
    return section("examples", "Rows to look at", "".join(blocks), lead)
