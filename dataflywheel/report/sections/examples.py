"""Rows to look at: what each step dropped, changed and kept, with the reason, and the row that a copy was a copy of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.report.drawing.beside import beside
from dataflywheel.report.drawing.markup import clip, details, esc, note, passage, section
from dataflywheel.report.drawing.numbers import count, finite, number
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.funnel import reason_class, step_title, without_numbers
from dataflywheel.rows.text import Part, part_of

DROPPED_SHOWN, CHANGED_SHOWN, KEPT_SHOWN = 6, 2, 2
ONE_REASON = 3
"""Dropped rows that are shown where all went for one reason."""
PARTS: tuple[Part, Part] = ("prompt", "answer")

Decision = dict[str, Any]


def spread(decisions: pa.Table, most: int) -> list[Decision]:
    """At most `most` decisions: every reason class in turn, and within a class from its start to its end."""
    if not len(decisions):
        return []
    reasons = pc.dictionary_encode(decisions["reason"].combine_chunks())
    names = [without_numbers(reason_class(str(reason))) for reason in reasons.dictionary.to_pylist()]
    known = {name: kind for kind, name in enumerate(dict.fromkeys(names))}
    of_reason = np.array([known[name] for name in names])
    code = of_reason[reasons.indices.to_numpy()]
    share = max(1, -(-most // len(known)))
    queues = []
    for kind in np.argsort(-np.bincount(code), kind="stable")[:most]:
        members = np.flatnonzero(code == kind)
        queues.append(members[np.unique(np.linspace(0, len(members) - 1, min(share, len(members))).astype(int))])
    turns = [int(queue[i]) for i in range(share) for queue in queues if i < len(queue)]
    found: list[Decision] = decisions.take(pa.array(turns[:most], pa.int64())).to_pylist()
    return found


def ends(decisions: pa.Table) -> list[Decision]:
    """The decisions of highest and of lowest score; rows without one count as 0, ties go to the smaller id first."""
    if not len(decisions):
        return []
    score = np.nan_to_num(decisions["score"].to_numpy(), nan=0.0, posinf=0.0, neginf=0.0)
    best = pc.min(decisions["id"].filter(pa.array(score == score.max())))
    last = pc.max(decisions["id"].filter(pa.array(score == score.min())))
    places = [pc.index(decisions["id"], id).as_py() for id in (best, last)]
    found: list[Decision] = decisions.take(places).to_pylist()
    return found[: len(decisions)]


def pick(step: Step) -> list[Decision]:
    """The decisions to show of one step: dropped and changed ones by reason, the best and the last of the kept."""
    of = {
        action: step.decisions.filter(pc.equal(step.decisions["action"], action))
        for action in ("dropped", "changed", "added", "kept")
    }
    changed = spread(pa.concat_tables([of["changed"], of["added"]]), CHANGED_SHOWN)
    dropped = spread(of["dropped"], DROPPED_SHOWN)
    if len({without_numbers(reason_class(str(one["reason"]))) for one in dropped}) == 1:
        dropped = spread(of["dropped"], ONE_REASON)
    return dropped + changed + ends(of["kept"])[:KEPT_SHOWN]


Texts = tuple[str, str]
"""Of a row: its prompt and its answer, as blocks."""


def _row(row: dict[str, Any] | None, id: str, heading: str, texts: Texts | None = None) -> str:
    if row is None:
        absent = f"{clip(id, 40)}: its text is not in this run"
        return f'<div class="row"><h5>{esc(heading)}</h5><p class="where">{esc(absent)}</p></div>'
    where = " \u00b7 ".join(part for part in (str(row["source"] or ""), id[:12]) if part)
    prompt, answer = texts or tuple(passage(part_of(row["messages"] or [], part)) for part in PARTS)
    rejected = ""
    if row["rejected"]:
        rejected = f'<span class="part">rejected</span>{passage(part_of(row["rejected"], "answer"))}'
    return (
        f'<div class="row"><h5>{esc(heading)} <span class="where">{esc(where)}</span></h5>'
        f'<span class="part">prompt</span>{prompt}<span class="part">answer</span>{answer}{rejected}</div>'
    )


def _compared(one: dict[str, Any] | None, other: dict[str, Any] | None) -> tuple[Texts | None, Texts | None]:
    """The texts of two rows with what differs marked; None where one of them is not there."""
    if one is None or other is None:
        return None, None
    (a, b), (c, d) = (
        beside(part_of(one["messages"] or [], part), part_of(other["messages"] or [], part)) for part in PARTS
    )
    return (a, c), (b, d)


def example(decision: Decision, rows: dict[str, dict[str, Any]]) -> str:
    """One decision as a card: the row, and beside it the row it points at."""
    action, other = str(decision["action"]), decision["other"]
    score = finite(decision["score"])
    scored = f' <span class="score">score {esc(number(score))}</span>' if score is not None else ""
    headings = {"dropped": ("this row was dropped", "it matched this row"), "changed": ("before", "after")}
    own, theirs = headings.get(action, ("this row", "its origin"))
    first, second = _compared(rows.get(decision["id"]), rows.get(other)) if other else (None, None)
    body = _row(rows.get(decision["id"]), decision["id"], own, first)
    if other:
        body += _row(rows.get(other), other, theirs, second)
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
        blocks.append(details(title, cards))
    if not blocks:
        return section("examples", "Rows to look at", note("No step of this run decided on single rows."))
    lead = "Chosen so that every reason is seen, from the start to the end of the pool; long texts are cut."
    return section("examples", "Rows to look at", "".join(blocks), lead)
