"""`flywheel enhance POOL --by METHOD`."""

from __future__ import annotations

from pathlib import Path

import typer

from dataflywheel.cli.asked import Asked, Calls, Can, Gates, Key, ModelName, Parameters, Price, Usd
from dataflywheel.cli.options import AsJson, Columns, Embedder, Format, Roles, Runs, Seed, Store, named


def enhance_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names, in any format."),
    by: str = typer.Option(..., help="The method; `flywheel methods --category enhancement` lists them."),
    given: Parameters = None,
    gate: Gates = None,
    target: str | None = typer.Option(None, help="Evaluation rows that no rewritten row may give away."),
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
    """Rewrite rows of a pool; a proposal that passes its gates replaces its row, all others stay as they are."""
    from dataflywheel.cli.asked import limits, say, with_models, with_parameters
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.recipe.single import enhance

    models = with_models(embedder, ask, model, price, key, can)
    with LiveTable() as watcher:
        result = enhance(
            pool, with_parameters(by, given or []), gates=[*gate] if gate else None, target=target, models=models,
            budget=limits(usd, calls), seed=seed, format=to, runs=runs, home=home, watcher=watcher,
            **named(columns, roles),
        )  # fmt: skip
    say(result, "in all", as_json)
