"""Rows that were written or changed beside those they were made from, with what went and what came in colour."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.report.drawing.beside import CHANGED, beside
from dataflywheel.report.drawing.markup import details, esc, note, passage
from dataflywheel.report.rundir import Run, Step
from dataflywheel.rows.text import part_of, text_of

SHOWN = 4
"""Examples of each kind and step."""
FATES = (("accepted", "Accepted", "kept"), ("rejected", "Turned away", "dropped"))


def before_and_after(run: Run, step: Step, name: str) -> str:
    """Some accepted proposals of a step and some that were turned away, folded; nothing where there are none."""
    path = step.directory / "proposals.parquet"
    if not path.is_file():
        return ""
    ledger = pq.ParquetFile(path).read(columns=["fate", "gate", "reason", "detail", "row", "before", "parents"])
    parts = []
    for fate, title, css in FATES:
        chosen = ledger.filter(pc.equal(ledger["fate"], fate)).slice(0, SHOWN).to_pylist()
        shown = [] if step.details.get("hides_before") else chosen
        origins = run.rows({one["parents"][0] for one in shown if one["parents"]})
        parts += [_example(title, css, one, origins) for one in chosen]
    return details(f"{name}: before and after", "".join(parts)) if parts else ""


def _example(title: str, css: str, one: dict[str, Any], origins: dict[str, dict[str, Any]]) -> str:
    parent = origins.get(one["parents"][0]) if one["parents"] else None
    row = orjson.loads(one["row"]) if one["row"] else None
    why = f"{one['gate']}: {one['reason']} {one['detail']}".strip(": ") if one["gate"] else ""
    head = f'<span class="badge">{esc(title.lower())}</span> {esc(why)}'
    if parent and row:
        before, after = beside(text_of(parent["messages"]), text_of(row["messages"]), tags=CHANGED)
    else:
        before = passage(text_of(parent["messages"])) if parent else note("not shown here" if one["parents"] else "")
        after = passage(text_of(row["messages"])) if row else note("no row")
    word = "before" if one["before"] else "made from"
    blocks = [(word, before), ("after", after)] if parent or one["parents"] else [("written", after)]
    body = "".join(f'<div class="row"><h5>{esc(heading)}</h5>{text}</div>' for heading, text in blocks)
    kind = "pair" if len(blocks) == 2 else "single"
    found = f'<article class="example {css}"><h4>{head}</h4><div class="{kind}">{body}</div></article>'
    return found + (_preference(row) if row and row.get("rejected") else "")


def _preference(row: dict[str, Any]) -> str:
    """The two answers of a pair, what the better one has and the worse one lacks."""
    worse, better = beside(part_of(row["rejected"], "answer"), part_of(row["messages"], "answer"), tags=CHANGED)
    sides = (("rejected answer", worse), ("chosen answer", better))
    body = "".join(f'<div class="row"><h5>{heading}</h5>{text}</div>' for heading, text in sides)
    return f'<article class="example"><div class="pair">{body}</div></article>'
