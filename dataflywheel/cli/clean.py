"""`flywheel clean [--take models,signals]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dataflywheel.cli.options import AsJson, Runs, Store

UNITS = ("B", "kB", "MB", "GB", "TB")


def clean_command(
    take: Annotated[
        str, typer.Option(help="What to take away: checkpoints, models, signals, trials, rows, answers, or several.")
    ] = "",
    home: Store = Path(".flywheel"),
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """What the store holds and how large it is; with --take, remove what can be made again."""
    from rich.console import Console

    from dataflywheel.cli.tables import number_table
    from dataflywheel.store.cleaning import ANSWERS, clean, paid

    kinds = [kind.strip() for kind in take.split(",") if kind.strip()]
    cost = paid(home)
    found = clean(kinds, home=home, runs=runs)
    if as_json:
        told = [{"kind": one.kind, "bytes": one.bytes, "entries": len(one.paths)} for one in found]
        typer.echo(json.dumps({"taken" if kinds else "kept": told, "answers_usd": cost}, ensure_ascii=False))
        return
    table = number_table("taken away" if kinds else "kept", "size", "entries")
    table.add_column("without it")
    for one in found:
        price = f" (${cost:,.2f} so far)" if one.kind == ANSWERS and cost else ""
        table.add_row(one.kind, shown(one.bytes), f"{len(one.paths):,}", one.again + price)
    table.add_row("in all", shown(sum(one.bytes for one in found)), "", "")
    Console(highlight=False).print(table)
    if not kinds and found:
        first = ",".join(one.kind for one in found if one.kind != ANSWERS)
        typer.echo(f"Next: flywheel clean --take {first or ANSWERS}")


def shown(size: float) -> str:
    """`12.3 MB`."""
    for unit in UNITS:
        if size < 1000 or unit == UNITS[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
