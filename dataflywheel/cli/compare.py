"""`flywheel compare RECIPE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer


def compare_command(
    recipe: Path = typer.Argument(help="The recipe, a YAML file."),
    runs: Path = typer.Option(Path("runs"), help="Where runs are kept."),
    home: Path = typer.Option(Path(".flywheel"), help="The store of signals, models and trials."),
    as_json: bool = typer.Option(False, "--json", help="The scoreboard as JSON."),
) -> None:
    """The scoreboard: each selector against random, longest and full at the same budget."""
    from rich.console import Console

    from dataflywheel.api import compare
    from dataflywheel.cli.live import LiveTable

    with LiveTable() as watcher:
        board = compare(recipe, runs=runs, home=home, watcher=watcher)
    if as_json:
        typer.echo(json.dumps(board, ensure_ascii=False))
        return
    console = Console()
    console.print(_table(board))
    console.print(
        f"{board['metric']}, {board['better']} is better; {len(board['seeds'])} seeds; budget {board['budget']} of "
        f"{board['rows_offered']:,} rows offered; intervals are 95 % over seeds, differences are paired by seed.",
        highlight=False,
    )


def _table(board: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(
        "arm",
        "rows",
        "score",
        "95 %",
        "against random",
        "verdict",
        "selecting",
        "passes",
        "training",
        "length",
        box=None,
    )
    for arm in board["arms"]:
        gap = arm["difference"]
        table.add_row(
            arm["label"],
            f"{arm['rows']:,}",
            f"{arm['mean']:.3f}",
            f"{arm['low']:.3f} to {arm['high']:.3f}",
            "" if gap is None else f"{gap['mean']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})",
            arm["verdict"],
            f"{arm['select_cost']['seconds']:.1f} s",
            f"{arm['select_cost']['forward']:,}",
            f"{arm['train_seconds']:.1f} s",
            f"x{arm['length_shift']:.2f}",
        )
    return table
