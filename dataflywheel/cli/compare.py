"""`flywheel compare RECIPE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dataflywheel.cli.measured import beside
from dataflywheel.cli.options import AsJson, Plugins, RecipeFile, Runs, Store, load_plugins
from dataflywheel.cli.tables import number_table

if TYPE_CHECKING:
    from dataflywheel.store.scoreboard import Scoreboard


def compare_command(
    recipe: RecipeFile,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """The scoreboard: each selector against random, longest and full for as many training tokens."""
    from rich.console import Console

    from dataflywheel.api import compare
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.stopping import unfinished

    load_plugins(plugin)
    with LiveTable() as watcher:
        board = compare(recipe, runs=runs, home=home, watcher=watcher)
    if as_json:
        typer.echo(json.dumps(board.as_dict(), ensure_ascii=False))
        unfinished(board.stopped or "")
        return
    console = Console(highlight=False)
    if board.stopped:
        typer.echo(f"Not finished: {board.stopped}.\n")
    console.print(scores(board))
    console.print(
        f"{board.metric.replace('_', ' ')}, {board.better} is better; {len(board.seeds)} seeds, "
        f"95 % intervals; difference and verdict: to and against random, paired by seed; {board.budget} of "
        f"{board.rows_offered:,} rows offered.\n"
    )
    console.print(costs(board))
    console.print(
        "length: of a mean answer, by that of the rows offered; shared: rows in both this and the recipe's choice."
    )
    for line in beside(board):
        console.print(line)
    unfinished(board.stopped or "")


def scores(board: Scoreboard) -> Any:
    """Every arm's mean and its difference to random, beside what was trained on."""
    from dataflywheel.store.scoreboard import costs_more

    table = number_table("arm", "rows", "tokens", "score", "difference", "verdict")
    for arm in board.arms:
        gap = arm.difference
        difference = "" if gap is None else f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
        verdict = arm.verdict.removesuffix(" than random")
        unlike = costs_more(arm, board.random)
        verdict += f" ({unlike})" if unlike else ""
        table.add_row(arm.label, f"{arm.rows:,}", f"{arm.train_tokens:,}", f"{arm.mean:.3f}", difference, verdict)
    return table


def costs(board: Scoreboard) -> Any:
    """What choosing and training took, and how the chosen rows differ from those offered."""
    table = number_table("arm", "chose in", "passes", "trained in", "length", "shared")
    for arm in board.arms:
        shared = arm.overlap.get("selection")
        table.add_row(
            arm.label,
            f"{arm.select_cost.seconds:.1f} s",
            f"{arm.select_cost.forward:,}",
            f"{arm.train_seconds:.1f} s",
            f"x{arm.length_shift:.2f}",
            "" if shared is None else f"{shared:.0%}",
        )
    return table
