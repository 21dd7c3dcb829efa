"""The verdicts of a judge pair by pair, with the texts: as a file of rows, or as a page to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel import __version__
from dataflywheel.evolution.judging.judged import Judged
from dataflywheel.evolution.judging.pairing import Pairs
from dataflywheel.report.drawing.markup import details, esc, note, passage, section, table
from dataflywheel.report.drawing.numbers import count, plural
from dataflywheel.report.drawing.page import page
from dataflywheel.report.judging import facts
from dataflywheel.rows.containers.write import container_for, write_records
from dataflywheel.store.atomic import write_text

PAGE = (".html", ".htm")
SHOWN = 12
"""Pairs of each verdict on a page."""
KINDS = {"second": "B is better", "first": "A is better", "tie": "Level", "invalid": "Without a verdict"}
"""Verdicts in the order of a page: what A lost comes first, since that is what one wants to see."""


def check_place(path: Path) -> None:
    """
    Raises:
        FlywheelError: no file of that name can be written.
    """
    if path.suffix.lower() not in PAGE:
        container_for(path)


def write_verdicts(path: Path, found: Judged, pairs: Pairs) -> int:
    """One row a pair with prompt, both answers, verdict, the verdicts of both orders, scores and the reason, or a page
    where the name ends in `.html`; gives how many pairs there are."""
    rows = verdict_rows(found, pairs)
    if path.suffix.lower() in PAGE:
        write_text(path, verdict_page(found, rows))
    else:
        write_records(path, rows)
    return len(rows)


def verdict_rows(found: Judged, pairs: Pairs) -> list[dict[str, Any]]:
    """Each pair that was judged, in the order of A."""
    cases = {case.id: case for case in pairs.cases}
    return [
        {
            "prompt": (case := cases[one["id"]]).prompt,
            "a": case.answers[0],
            "b": case.answers[1],
            **({"reference": case.reference} if case.reference else {}),
            **{name: one[name] for name in ("verdict", "orders", "scores", "reason", "id")},
        }
        for one in found.judgements
        if one["id"] in cases
    ]


def verdict_page(found: Judged, rows: Sequence[dict[str, Any]]) -> str:
    """One page without scripts: what was found, and pairs of each verdict side by side."""
    lines = [[esc(name), esc(value)] for name, value in facts(found).items()]
    lead = f"A: {found.a}. B: {found.b}. {plural(len(rows), 'pair')}, judged by {found.judge} with {found.model}."
    parts = ["<!--contents-->", section("found", "What was found", table("A against B", ["", ""], lines), esc(lead))]
    contents = [("found", "What was found")]
    for verdict, title in KINDS.items():
        of = [row for row in rows if row["verdict"] == verdict]
        if of:
            body = "".join(map(_pair, of[:SHOWN]))
            more = note(f"{count(len(of) - SHOWN)} more are not shown; `--out FILE.jsonl` writes all.")
            parts.append(section(verdict, f"{title}: {count(len(of))}", body + (more if len(of) > SHOWN else "")))
            contents.append((verdict, title))
    return page("A judge's verdicts", "\n".join(parts), contents, esc(f"Written by dataflywheel {__version__}."))


def _pair(row: dict[str, Any]) -> str:
    scores = ", ".join(f"{score:g}" for score in row["scores"] if score is not None and score == score)
    told = "; ".join(
        filter(None, [f"orders: {', '.join(row['orders'])}" if row["orders"] else "", scores and f"scores: {scores}"])
    )
    body = f"<p>A</p>{passage(row['a'])}<p>B</p>{passage(row['b'])}"
    body += f"<p>reference</p>{passage(row['reference'])}" if row.get("reference") else ""
    body += note(". ".join(filter(None, [told, row["reason"]]))) if told or row["reason"] else ""
    return details(" ".join(str(row["prompt"]).split())[:160] or "no prompt", body)
