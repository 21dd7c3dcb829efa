"""`flywheel convert IN OUT --to FORMAT`."""

from __future__ import annotations

import json
import sys

import typer

from dataflywheel.cli.options import AsJson


def convert_command(
    input: str = typer.Argument(help="A file, folder, pattern or data set name, in any format."),
    output: str = typer.Argument(help="What to write; its suffix decides between jsonl, json, csv, tsv, parquet, txt."),
    to: str = typer.Option(..., help="messages, sharegpt, alpaca, trl, llamafactory, axolotl, canonical, parquet, ..."),
    source: str | None = typer.Option(None, help="Where the rows came from; the file's name unless given."),
    lineage: bool = typer.Option(False, help="Keep source, copies and parents in the records."),
    as_json: AsJson = False,
) -> None:
    """Convert rows between formats."""
    from dataflywheel.rows.convert import convert

    shown = sys.stderr.isatty()

    def progress(rows: int) -> None:
        if shown:
            typer.echo(f"\r{rows:,} rows", err=True, nl=False)

    result = convert(input, output, to, source=source, lineage=lineage, progress=progress)
    if shown:
        typer.echo("", err=True)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    typer.echo(f"{result['rows']:,} rows as {result['records']:,} {to} records ({result['container']}): {output}")
    for path in result["beside"]:
        typer.echo(f"beside it: {path}")
    for entry in result["examples"][:3]:
        where = f"{entry['file']}, line {entry['line']}" + (f", {entry['field']}" if entry["field"] else "")
        typer.echo(f"set aside: {where}: {entry['reason']}", err=True)
    if result["quarantined"]:
        typer.echo(f"set aside in all: {result['quarantined']:,}", err=True)
