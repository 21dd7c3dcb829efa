"""`flywheel profile POOL`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataflywheel.cli.asked import Calls, Usd
from dataflywheel.cli.options import Columns, Plugins, Roles, load_plugins, named

if TYPE_CHECKING:
    from rich.console import Console

    from dataflywheel.report.profile.pool_profile import Profile


REASONS = 5
"""Reasons shown in the terminal, the most frequent first; the page has all."""


def profile_command(
    pool: list[str] = typer.Argument(help="Files, folders, patterns or data set names."),
    html: Annotated[Path | None, typer.Option("--html", help="Write the page here as well.")] = None,
    target: str | None = typer.Option(None, help="Evaluation rows: count the rows of the pool that hold one."),
    toxicity: str | None = typer.Option(None, help="Labelled rows: count the rows of the pool that they make toxic."),
    tokenizer: str | None = typer.Option(None, help="A folder with a tokenizer, or a hub name: exact lengths as well."),
    detector: Annotated[
        list[str] | None,
        typer.Option(
            help="Instead: what a detector of toxicity is worth on these labelled rows, as YAML: `toxicity`, "
            "`{lexicon: {words: words.txt}}`, `{classifier: {hf: FOLDER, label: toxic}}`; repeatable."
        ),
    ] = None,
    cross: Annotated[list[str] | None, typer.Option(help="Further labelled rows, for --detector; repeatable.")] = None,
    data: Annotated[
        Path | None, typer.Option(envvar="FLYWHEEL_DATA", help="Folder of published sets, for --detector.")
    ] = None,
    limit: Annotated[int, typer.Option(min=40, help="Texts of each set, at most, for --detector.")] = 500,
    usd: Usd = None,
    calls: Calls = None,
    plugin: Plugins = None,
    columns: Columns = None,
    roles: Roles = None,
    as_json: bool = typer.Option(False, "--json", help="The profile as JSON."),
) -> None:
    """What is in a pool: formats, lengths, languages, duplicates, personal data, toxicity."""
    if detector:
        from dataflywheel.cli.detectors import show_detectors

        load_plugins(plugin)
        show_detectors(pool, detector, cross or [], data, limit, usd, calls, as_json)
        return
    from rich.console import Console

    from dataflywheel.report.profile.profile import profile

    found = profile(pool, output=html, target=target, toxicity=toxicity, tokenizer=tokenizer, **named(columns, roles))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False))
        return
    _show(found, Console(highlight=False))
    if html is not None:
        typer.echo(f"page: {html}")


def _show(found: Profile, console: Console) -> None:
    from rich.text import Text

    from dataflywheel.report.drawing.markup import visible
    from dataflywheel.report.drawing.numbers import count, percent, plural, short
    from dataflywheel.report.profile.profile_page import headline, length_names, toxicity_line
    from dataflywheel.rows.unread import unread_lines

    console.print(Text(visible(headline(found)), style="bold"))
    files = {visible(f"{file['path']} ({file['format']})"): _held(file) for file in found.files}
    _table(console, "files", files)
    for line in unread_lines(found.unread):
        console.print(Text(visible(line)))
    lengths = {
        visible(
            name
        ): f"median {short(spread['p50'])}, 95% under {short(spread['p95'])}, longest {short(spread['max'])}"
        for column, name in length_names(found).items()
        if (spread := found.lengths[column])
    }
    _table(console, "lengths", {visible(name): told for name, told in lengths.items()})
    spoken = {code: percent(share) for code, share in found.languages.items()}
    _table(console, f"languages of {count(found.language_rows)} rows", spoken or {"not measured": ""})
    facts = found.facts
    kinds = {**{plural(n, "message"): facts.turns[n] for n in sorted(facts.turns)}, **facts.kinds}
    _table(console, "rows", _counted(kinds, found.rows))
    if len(facts.sources) > 1 or facts.tags:
        _table(
            console,
            "sources and tags",
            _counted({**dict(facts.sources.most_common(10)), **dict(facts.tags.most_common(10))}, found.rows),
        )
    no_rows = {"could not be read": found.quarantined, "identical, merged": found.merged}
    faults = {"near-copies": found.near_copies, "same prompt, other answer": found.same_prompt}
    faults |= {**facts.answers, **found.outliers, **(found.leaks or {})}
    wrong = _counted(no_rows, found.rows + sum(no_rows.values())) | _counted(faults, found.rows)
    _table(console, "what may be wrong", wrong or {"nothing found": ""})
    if found.quarantine_reasons:
        reasons = list(found.quarantine_reasons.items())[:REASONS]
        _table(console, "why it could not be read", {visible(reason): count(n) for reason, n in reasons})
    hints = {
        kind: f"{count(hint.rows)} rows, {count(hint.hits)} hits, such as {', '.join(hint.examples)}"
        for kind, hint in facts.hints.items()
        if hint.hits
    }
    _table(console, "personal data, by form", hints or {"nothing found": ""})
    if found.toxicity is not None:
        _table(console, "toxicity", {"by labels": toxicity_line(found)})
    _table(console, "not measured", found.not_measured)


def _held(file: dict[str, Any]) -> str:
    """Rows of a file, and what in it is none."""
    from dataflywheel.report.drawing.numbers import count

    bad = f", {count(file['quarantined'])} could not be read" if file["quarantined"] else ""
    return f"{count(file['rows'])}{bad}"


def _counted(counts: dict[str, int], total: int) -> dict[str, str]:
    from dataflywheel.report.drawing.markup import visible
    from dataflywheel.report.drawing.numbers import count, percent

    return {visible(name or "unnamed"): f"{count(n)} ({percent(n / max(total, 1))})" for name, n in counts.items() if n}


def _table(console: Console, title: str, lines: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in lines.items():
        table.add_row(Text(name), Text(value))
    console.print(Text(f"\n{title}", style="bold"))
    console.print(table)
