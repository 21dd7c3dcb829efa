"""`flywheel why RUN ROW`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from dataflywheel.cli.options import Store


def why_command(
    run: Path = typer.Argument(help="A run directory, such as runs/alpaca-on-a-budget."),
    row: str = typer.Argument(help="A row's id, the beginning of it, or some of its text."),
    home: Store = Path(".flywheel"),
    as_json: bool = typer.Option(False, "--json", help="Everything, as JSON."),
) -> None:
    """The life of one row: source line, values, decisions, what it is a copy of, what a model was asked about it."""
    from dataflywheel.report.why import as_text, why

    life = why(run, row, home)
    typer.echo(json.dumps(life, ensure_ascii=False) if as_json else as_text(life))
