"""`flywheel plan RECIPE`."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def plan_command(
    recipe: Path = typer.Argument(help="The recipe, a YAML file."),
    as_json: bool = typer.Option(False, "--json", help="The plan as JSON."),
) -> None:
    """Check a recipe and price each step, without doing it."""
    from rich.console import Console
    from rich.table import Table

    from dataflywheel.recipe.plan import plan

    found = plan(recipe)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    pool = found["pool"]
    table = Table(
        "step", "rows after, at most", "forward", "backward", "tokens", "calls", "dollars", "seconds", box=None
    )
    lines = [(f"{s['index']:02d}-{s['step']}", f"{s['rows']:,}", s["cost"]) for s in found["steps"]]
    if "comparison" in found:
        trials = found["comparison"]
        lines.append(("compare", f"{trials['arms']} arms, {trials['seeds']} seeds", trials["cost"]))
    for name, rows, cost in [*lines, ("total", "", found["total"])]:
        numbers = (f"{cost[k]:,}" for k in ("forward", "backward", "tokens", "calls"))
        table.add_row(name, rows, *numbers, f"{cost['usd']:.2f}", f"{cost['seconds']:,.0f}")
    console = Console()
    console.print(
        f"{found['name']}: {pool['rows']:,} rows offered, about {pool['tokens']:,} tokens. Estimates for this machine:"
    )
    console.print(table)
