"""`flywheel runs [FOLDER]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataflywheel.cli.options import AsJson


def runs_command(
    folder: Annotated[Path, typer.Argument(help="The folder with the runs.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """The runs of a folder, the latest first: their state, rows, score and cost."""
    from rich.console import Console
    from rich.text import Text

    from dataflywheel.cli.clean import shown
    from dataflywheel.cli.tables import number_table
    from dataflywheel.report.drawing.markup import visible
    from dataflywheel.report.drawing.numbers import money, seconds
    from dataflywheel.report.runs import runs

    found = runs(folder)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    if not found:
        typer.echo(f"{folder}: no run is here; flywheel run RECIPE begins one")
        return
    table = number_table("run", "state", "rows", "score", "time", "paid", "size", "changed")
    for one in found:
        score = f"{one.metric.replace('_', ' ')} {one.score:.3f}" if one.score is not None else ""
        table.add_row(
            Text(visible(one.name)), one.state, f"{one.rows_out:,} of {one.rows_in:,}", Text(visible(score)),
            seconds(one.seconds), money(one.usd), shown(one.bytes), one.changed.replace("T", " "),
        )  # fmt: skip
    Console(highlight=False).print(table)
    for one in found:
        if one.why:
            typer.echo(f"{visible(one.name)}: {visible(one.why)}")
