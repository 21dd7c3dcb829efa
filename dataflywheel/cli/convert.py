"""`flywheel convert IN OUT --to FORMAT`."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from dataflywheel.cli.options import AsJson, Columns, Roles, named

FIELDS = 12
"""Names of fields that are told; of more the number."""


def convert_command(
    input: str = typer.Argument(help="A file, folder, pattern or data set name, in any format."),
    output: str = typer.Argument(help="What to write; its suffix decides between jsonl, json, csv, tsv, parquet, txt."),
    to: str = typer.Option(..., help="messages, sharegpt, alpaca, trl, llamafactory, axolotl, canonical, parquet, ..."),
    source: str | None = typer.Option(None, help="Where the rows came from; the file's name unless given."),
    columns: Columns = None,
    roles: Roles = None,
    lineage: bool = typer.Option(False, help="Keep source, copies and parents in the records."),
    as_json: AsJson = False,
) -> None:
    """Convert rows between formats."""
    from dataflywheel.rows.convert import convert
    from dataflywheel.rows.unread import unread_lines

    shown = sys.stderr.isatty()

    def progress(rows: int) -> None:
        if shown:
            typer.echo(f"\r{rows:,} rows", err=True, nl=False)

    result = convert(input, output, to, source=source, lineage=lineage, progress=progress, **named(columns, roles))
    if shown:
        typer.echo("", err=True)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for line in written(result):
        typer.echo(line)
    for line in [*unread_lines(result["unread"]), *set_aside(result)]:
        typer.echo(line, err=True)


def written(result: dict[str, Any]) -> list[str]:
    """What was written, and where, and which fields no trainer reads."""
    form = f"{result['format']} records ({result['container']})"
    lines = [f"{result['rows']:,} rows as {result['records']:,} {form}: {result['output']}"]
    if len(result["files"]) > 1:
        lines = [f"{result['rows']:,} rows of several kinds as {result['records']:,} {form}, a file a kind:"]
        lines += [f"{file['records']:,} {kind}: {file['path']}" for kind, file in result["files"].items()]
    lines += [f"beside it: {path}" for path in result["beside"]]
    lines += [f"not of the type it had: {column}: {why}" for column, why in result["untyped"].items()]
    return lines + not_carried(result["not_carried"], result["format"])


def not_carried(fields: dict[str, int], form: str) -> list[str]:
    """A line on the fields that a trainer has no place for; none where there are none."""
    from dataflywheel.report.drawing.numbers import plural

    if not fields:
        return []
    named = [f"{name} ({plural(n, 'row')})" for name, n in list(fields.items())[:FIELDS]]
    more = [f"{len(fields) - FIELDS:,} more"] if len(fields) > FIELDS else []
    return [f"not carried, since {form} has no place for them: {', '.join(named + more)}"]


def set_aside(result: dict[str, Any]) -> list[str]:
    """The first lines and rows that were not written, and how many there are in all, by reason."""
    lines = []
    for entry in result["examples"][:3]:
        where = f"{entry['file']}, line {entry['line']}" + (f", {entry['field']}" if entry["field"] else "")
        row = f"row {entry['id']} ({where})" if "id" in entry else where
        lines.append(f"set aside: {row}: {entry['reason']}")
    if result["quarantined"]:
        lines.append(f"set aside in all, not readable: {result['quarantined']:,}")
    for reason, count in result["reasons"].items():
        lines.append(f"left out, since {result['format']} cannot hold {reason}: {count:,}")
    return lines
