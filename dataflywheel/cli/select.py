"""`flywheel select POOL --by METHOD --keep 5%`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from dataflywheel.cli.asked import Asked, Calls, Can, Key, ModelName, Parameters, Price, Usd
from dataflywheel.cli.options import AsJson, Columns, Embedder, Format, Roles, Runs, Seed, Store, named


def select_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names, in any format."),
    by: str = typer.Option("random", help="The method; `flywheel methods --category selection` lists them."),
    keep: str = typer.Option("10%", help="The budget: 1000, 10% or '50000 tokens'."),
    given: Parameters = None,
    then: str = typer.Option("", help="A diversity method that chooses among the best by score."),
    per: str = typer.Option("", help="Share the budget out: source, tag or slice."),
    columns: Columns = None,
    roles: Roles = None,
    target: str | None = typer.Option(None, help="Evaluation rows that targeted methods compare with."),
    ask: Asked = "",
    model: ModelName = "",
    price: Price = "",
    key: Key = "",
    can: Can = None,
    usd: Usd = None,
    calls: Calls = None,
    embedder: Embedder = "minilm",
    student: str = typer.Option(
        "tiny", help="Model that measures likelihoods: tiny, trained on the pool, or a folder."
    ),
    to: Format = "messages",
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """One selection from a pool, without a recipe."""
    from dataflywheel.cli.asked import limits, with_models, with_parameters
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.errors import UsageError
    from dataflywheel.recipe.select import select

    if model and not ask:
        raise UsageError("--model names a model at the endpoint of --ask; what measures likelihoods is --student")
    models = {**with_models(embedder, ask, model, price, key, can), "student": student}
    with LiveTable() as watcher:
        result = select(
            pool, with_parameters(by, given or []), keep, then=then or None, per=per or None, target=target,
            models=models, budget=limits(usd, calls), seed=seed, format=to, runs=runs, home=home, watcher=watcher,
            **named(columns, roles),
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(result.as_dict(), ensure_ascii=False))
        return
    if result.stopped:
        typer.echo(f"Stopped early: {result.stopped}.")
        return
    typer.echo(f"{result.rows_out:,} of {result.rows_in:,} rows kept by {by}: {result.path / 'dataset'}")
    typer.echo("Whether that beats random choice was not measured; a recipe with `compare:` measures it.")
    typer.echo(f"Next: flywheel why {result.path} ROW, or flywheel profile {result.path / 'dataset'}")
