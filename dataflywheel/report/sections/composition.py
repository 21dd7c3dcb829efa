"""What is in the data set, beside what was in the pool: by source, by tag, by who wrote it, and by length."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.report.drawing.markup import details, esc, note, section, table
from dataflywheel.report.drawing.numbers import count, number, percent
from dataflywheel.report.drawing.overlay import overlay
from dataflywheel.report.rundir import Run
from dataflywheel.rows.parts import iter_batches

SHOWN, OPEN = 20, 6
"""Sources and tags, those with the most rows in the data set, and how many of them are not folded away."""
COLUMNS = ["id", "messages", "source", "tags", "made_by"]


@dataclass
class Content:
    """Rows of one place: how many of each source, tag and writer, and the characters of prompts and answers (n,)."""

    rows: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    writers: Counter[str] = field(default_factory=Counter)
    prompts: FloatArray = field(default_factory=lambda: np.zeros(0))
    answers: FloatArray = field(default_factory=lambda: np.zeros(0))


def content(rows: Path) -> Content:
    """What a directory of rows holds, read in batches."""
    found = Content()
    asked, said = [], []
    for batch in iter_batches(rows, COLUMNS):
        found.rows += len(batch)
        _count(found.sources, batch.column("source"))
        _count(found.tags, pc.list_flatten(batch.column("tags")))
        _count(found.writers, batch.column("made_by"))
        prompt, answer = _characters(batch.column("messages"))
        asked.append(prompt)
        said.append(answer)
    if asked:
        found.prompts, found.answers = np.concatenate(asked), np.concatenate(said)
    return found


def _count(counter: Counter[str], values: pa.Array) -> None:
    for entry in pc.value_counts(values).to_pylist():
        counter[entry["values"] or ""] += entry["counts"]


def _characters(messages: pa.Array) -> tuple[FloatArray, FloatArray]:
    """Characters of all turns but the model's, and of the model's, by row."""
    turns, parents = pc.list_flatten(messages), np.asarray(pc.list_parent_indices(messages))
    lengths = np.asarray(pc.fill_null(pc.utf8_length(turns.field("content")), 0), dtype=np.float64)
    answered: AnyArray = np.asarray(pc.equal(turns.field("role"), "assistant"))
    sums = np.zeros((2, len(messages)))
    np.add.at(sums, (answered.astype(np.intp), parents), lengths)
    return sums[0], sums[1]


def composition(run: Run) -> str:
    """The section, or nothing where no step has rows."""
    if run.pool is None or run.final is None or run.final is run.pool:
        return ""
    before, after = content(run.pool.directory / "rows"), content(run.final.directory / "rows")
    if not after.rows:
        return section("content", "What is in the data set", note("The data set holds no row."))
    body = _shares("source", before.sources, after.sources, before.rows, after.rows)
    body += _shares("tag", before.tags, after.tags, before.rows, after.rows) if any(after.tags) else ""
    body += _written(after)
    charts = [
        _lengths("prompts", before.prompts, after.prompts),
        _lengths("answers", before.answers, after.answers),
    ]
    body += f'<div class="plots">{"".join(charts)}</div>'
    lead = (
        f"{count(after.rows)} rows, out of {count(before.rows)} in the pool. "
        'Lengths: <span class="key kept"></span> in the data set <span class="key outline"></span> in the pool, each '
        "as shares of its rows."
    )
    return section("content", "What is in the data set", body, lead)


def _shares(what: str, before: Counter[str], after: Counter[str], pool: int, rows: int) -> str:
    """Shares of the pool and of the data set."""
    names = [name for name, _ in after.most_common(SHOWN)]
    names += [name for name, _ in before.most_common(SHOWN) if name not in after][: SHOWN - len(names)]
    lines = []
    for name in names:
        was, now = before[name] / max(1, pool), after[name] / max(1, rows)
        went = number(now / was) if was and now else "gone" if was else "new"
        cells = (count(before[name]), percent(was), count(after[name]), percent(now), went)
        lines.append([esc(name or f"no {what}"), *map(esc, cells)])
    head = [what, "in the pool", "share", "in the data set", "share", "times its share"]
    others = len(after.keys() | before.keys()) - len(names)
    first, rest = lines[:OPEN], lines[OPEN:]
    body = table(f"Rows by {what}", head, first, numeric=range(1, 6), css="stack")
    more = f"; {count(others)} with fewer rows are not shown" if others > 0 else ""
    if rest:
        body += details(
            f"{count(len(rest))} more by {what}{more}",
            table(f"Further rows by {what}", head, rest, numeric=range(1, 6), css="stack"),
        )
    return body


def _written(after: Content) -> str:
    made = {name: rows for name, rows in after.writers.items() if name}
    most = sorted(made.items(), key=lambda one: (-one[1], one[0]))
    lines = [[esc(name), esc(count(rows)), esc(percent(rows / after.rows))] for name, rows in most]
    head = ["method", "rows", "share"]
    return table("Rows that a method wrote or rewrote", head, lines, numeric=(1, 2), css="stack") if made else ""


def _lengths(what: str, before: FloatArray, after: FloatArray) -> str:
    """Lengths after, on those before: as if both sets had as many rows."""
    title = f"characters of {what}"
    was, now = (count(float(np.median(lengths))) if len(lengths) else "none" for lengths in (before, after))
    said = f"<b>{esc(title)}</b> <span>{esc(f'median {was} in the pool, {now} in the data set')}</span>"
    chart = overlay(f"length-{what}", title, after, before)
    return f'<figure class="plot"><figcaption>{said}</figcaption>{chart}</figure>'
