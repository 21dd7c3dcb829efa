"""`flywheel restore DATASET OUT --key env:NAME`."""

from __future__ import annotations

import json

import typer

from dataflywheel.cli.convert import set_aside, written
from dataflywheel.cli.options import AsJson, Columns, Roles, named


def restore_command(
    dataset: str = typer.Argument(help="A data set that `redact_personal_data` wrote with a key, in any format."),
    output: str = typer.Argument(help="What to write; its suffix decides between jsonl, json, parquet, ..."),
    key: str = typer.Option(..., help="Where the secret is: env:NAME or file:PATH, never the secret itself."),
    to: str = typer.Option("canonical", help="The form of rows: messages, sharegpt, trl, ..., as `convert` takes it."),
    column: str = typer.Option("redacted", help="The field of a row that holds what it was."),
    columns: Columns = None,
    roles: Roles = None,
    as_json: AsJson = False,
) -> None:
    """Give rows back as they were before a redaction, with its key."""
    from dataflywheel.rows.restore import restore
    from dataflywheel.rows.unread import unread_lines

    result = restore(dataset, output, key, to, column=column, **named(columns, roles))
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for line in [*written(result), f"as they were before the redaction: {result['restored']:,}"]:
        typer.echo(line)
    told = {
        "changed by a later step, whose changes are gone": result["changed"],
        "still redacted, by another key": result["other_key"],
        f"with something in {column!r} that is no sealed row, left as it is": result["not_sealed"],
    }
    lines = [f"{what}: {count:,}" for what, count in told.items() if count]
    for line in [*lines, *unread_lines(result["unread"]), *set_aside(result)]:
        typer.echo(line, err=True)
