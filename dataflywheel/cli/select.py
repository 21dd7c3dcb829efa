"""`flywheel select POOL --by METHOD --keep 5%`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from dataflywheel.cli.options import AsJson, Columns, Embedder, Format, Roles, Runs, Seed, Store, named


def select_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names, in any format."),
    by: str = typer.Option("random", help="The method; `flywheel methods --category selection` lists them."),
    keep: str = typer.Option("10%", help="The budget: 1000, 10% or '50000 tokens'."),
    then: str = typer.Option("", help="A diversity method that chooses among the best by score."),
    per: str = typer.Option("", help="Share the budget out: source or tag."),
    columns: Columns = None,
    roles: Roles = None,
    embedder: Embedder = "minilm",
    model: str = typer.Option("tiny", help="Model that measures likelihoods: tiny, trained on the pool, or a folder."),
    to: Format = "messages",
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """One selection from a pool, without a recipe."""
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.recipe.select import select

    models = {"embedder": embedder, "student": model}
    with LiveTable() as watcher:
        result = select(
            pool, by, keep, then=then or None, per=per or None, models=models, seed=seed, format=to,
            runs=runs, home=home, watcher=watcher, **named(columns, roles),
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(result.as_dict(), ensure_ascii=False))
        return
    typer.echo(f"{result.rows_out:,} of {result.rows_in:,} rows kept by {by}: {result.path / 'dataset'}")
    typer.echo("Whether that beats random choice was not measured; a recipe with `compare:` measures it.")
    typer.echo(f"Next: flywheel why {result.path} ROW, or flywheel profile {result.path / 'dataset'}")
