"""`flywheel generate [POOL] --by METHOD --rows 100`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflywheel.cli.asked import Asked, Calls, Can, Gates, Key, ModelName, Parameters, Price, Usd
from dataflywheel.cli.options import AsJson, Columns, Embedder, Format, Roles, Runs, Seed, Store, named


def generate_command(
    pool: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or data set names that are written from, in any format; magpie needs none."
        ),
    ] = None,
    by: str = typer.Option("grounded_rules", help="The method; `flywheel methods --category synthesis` lists them."),
    rows: str = typer.Option("100", help="New rows wanted: 100, or 10% of the pool."),
    visits: int | None = typer.Option(
        None, min=1, help="How often one row is written from, at most; the method's own if none."
    ),
    given: Parameters = None,
    gate: Gates = None,
    target: str | None = typer.Option(None, help="Evaluation rows that no new row may give away."),
    ask: Asked = "",
    model: ModelName = "",
    price: Price = "",
    key: Key = "",
    can: Can = None,
    usd: Usd = None,
    calls: Calls = None,
    columns: Columns = None,
    roles: Roles = None,
    embedder: Embedder = "minilm",
    to: Format = "messages",
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Write new rows from those of a pool; each passes the gates before it counts."""
    from dataflywheel.cli.asked import limits, say, with_models, with_parameters
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.recipe.single import generate

    models = with_models(embedder, ask, model, price, key, can)
    with LiveTable() as watcher:
        result = generate(
            pool, with_parameters(by, given or []), rows, gates=[*gate] if gate else None, visits=visits,
            target=target, models=models, budget=limits(usd, calls), seed=seed, format=to, runs=runs, home=home,
            watcher=watcher, **named(columns, roles),
        )  # fmt: skip
    say(result, "with the pool's" if pool else "in all", as_json)
