"""`flywheel runs [FOLDER]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataflywheel.cli.options import AsJson

COLUMNS = ("run", "state", "rows", "score", "time", "paid", "size", "changed")
LEAST = ("size", "time", "changed", "paid", "score")
"""What goes where the terminal is too narrow, the first of them first."""
UNCUT = 100_000
"""Letters of a line that goes to no terminal: whoever reads it gets all of it."""


def runs_command(
    folder: Annotated[Path, typer.Argument(help="The folder with the runs.")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """The runs of a folder, the latest first: their state, rows, score and cost."""
    from rich.console import Console
    from rich.text import Text

    from dataflywheel.cli.clean import shown
    from dataflywheel.cli.tables import fitting, number_table
    from dataflywheel.report.drawing.markup import visible
    from dataflywheel.report.drawing.numbers import money, seconds
    from dataflywheel.report.runs import runs

    folder = Path("runs") if str(folder) == "list" and not folder.exists() else folder  # `runs list`, as others say
    found = runs(folder)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    if not found:
        typer.echo(f"{folder}: no run is here; flywheel run RECIPE begins one")
        return
    lines = []
    for one in found:
        score = f"{one.metric.replace('_', ' ')} {one.score:.3f}" if one.score is not None else ""
        lines.append([
            visible(one.name), one.state, f"{one.rows_out:,} of {one.rows_in:,}", visible(score),
            seconds(one.seconds), money(one.usd), shown(one.bytes), one.changed.replace("T", " "),
        ])  # fmt: skip
    console = Console(highlight=False)
    every = {name: [line[at] for line in lines] for at, name in enumerate(COLUMNS)}
    if not console.is_terminal:
        console.width = max(console.width, UNCUT)
    here = fitting(every, console.width, LEAST)
    table = number_table(*here)
    for line in zip(*here.values(), strict=True):
        table.add_row(*map(Text, line))
    console.print(table)
    if left := [name for name in COLUMNS if name not in here]:
        typer.echo(f"No room for: {', '.join(left)}; a wider terminal shows them, and --json.")
    for one in found:
        if one.why:
            typer.echo(f"{visible(one.name)}: {visible(one.why)}")
