"""Where the rows came from, what could not be read, the recipe, and the machine."""

from __future__ import annotations

import os
import platform
from collections import Counter
from importlib import metadata

from dataflywheel.report.drawing.markup import clip, details, esc, note, passage, section, table
from dataflywheel.report.drawing.numbers import count, plural
from dataflywheel.report.reading import read_lines
from dataflywheel.report.rundir import Run
from dataflywheel.store.run import QUARANTINE

QUARANTINE_SHOWN = 10
PACKAGES = ("dataflywheel", "daft", "numpy", "pyarrow", "torch", "transformers", "trl", "scikit-learn")


def sources(run: Run) -> str:
    """The files of the pool."""
    pool = run.pool
    files = pool.details.get("files") or [] if pool else []
    if pool is None or not files:
        return section("sources", "Where the rows came from", note("The run recorded no input files."))
    rows = [
        [
            f"<code>{esc(file.get('path'))}</code>",
            esc(file.get("source") or ""),
            esc(file.get("format") or ""),
            esc(count(file.get("rows"))),
            esc(count(file.get("quarantined") or 0)),
        ]
        for file in files
    ]
    merged = int(pool.details.get("merged") or 0)
    lead = f"{plural(merged, 'identical row')} merged on reading; {plural(pool.rows_out, 'distinct row')} in the pool."
    head = ["file", "source", "format", "rows", "in quarantine"]
    body = table("Input files", head, rows, numeric=(3, 4), css="stack")
    unread = [[f"<code>{esc(path)}</code>", esc(reason)] for path, reason in pool.details.get("unread") or []]
    if unread:
        body += table("Beside them, and not read", ["what", "reason"], unread, css="stack")
    return section("sources", "Where the rows came from", body, esc(lead))


def quarantine(run: Run) -> str:
    """Lines that could not be read: counted by reason, the first of them shown; and how many rows are held apart."""
    rows = len(read_lines(run.directory / QUARANTINE / "rows.jsonl"))
    held = note(f"{plural(rows, 'row')} held apart, each with its reason: quarantine/rows.jsonl.") if rows else ""
    entries = [e for step in run.named("pool") for e in read_lines(step.directory / "quarantine.jsonl")]
    if not entries:
        return section("quarantine", "Quarantine", note("Every line of the input could be read.") + held)
    classes = Counter(str(entry.get("reason", "")).split(":")[0] for entry in entries)
    lines = [[esc(reason), esc(count(n))] for reason, n in classes.most_common(20)]
    shown = [
        [
            f"<code>{esc(entry.get('file', ''))}</code>",
            esc(entry.get("line", "")),
            esc(clip(str(entry.get("reason", "")), 200)),
            passage(str(entry.get("text", "")), 160),
        ]
        for entry in entries[:QUARANTINE_SHOWN]
    ]
    body = table("Lines that could not be read, by reason", ["reason", "lines"], lines, numeric=(1,))
    first = table("The first of them", ["file", "line", "reason", "beginning"], shown, numeric=(1,), css="stack")
    lead = esc(f"{plural(len(entries), 'line')} set aside; all others went on.")
    return section("quarantine", "Quarantine", body + first + held, lead)


def environment() -> list[tuple[str, str]]:
    """What this page was written with."""
    found = [("Python", platform.python_version()), ("system", platform.platform(terse=True))]
    found.append(("processors", str(os.cpu_count())))
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def recipe(run: Run) -> str:
    """The recipe's text and the environment, folded."""
    text = (
        f"<pre><code>{esc(run.recipe)}</code></pre>"
        if run.recipe
        else note("The recipe's text is not in the run directory.")
    )
    own = [(name, f"of {one.plugin}, whose code is {one.digest}") for name, one in run.plugged.items()]
    rows = [[esc(name), esc(value)] for name, value in [*environment(), *own]]
    machine = table("Written with", ["what", "version"], rows)
    seed = f"seed {run.plan.seed}" if run.plan.seed is not None else "seed not recorded"
    return section(
        "recipe", "Recipe and environment", details(f"Recipe ({seed})", text) + details("Environment", machine)
    )
