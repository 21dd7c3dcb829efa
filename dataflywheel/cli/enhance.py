"""`flywheel enhance POOL --by METHOD`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from dataflywheel.cli.asked import Asked, Calls, Can, Gates, Key, ModelName, Parameters, Price, Usd
from dataflywheel.cli.options import AsJson, Runs, Store


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
    embedder: str = typer.Option("minilm", help="minilm (exact), static (over 100 times faster), or a folder."),
    to: str = typer.Option("messages", help="Format of the result: messages, trl, llamafactory, axolotl."),
    seed: int = typer.Option(0, help="Seed of everything random."),
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Rewrite rows of a pool; a proposal that passes its gates replaces its row, all others stay as they are."""
    from dataflywheel.cli.asked import asked_model, limits, told, with_parameters
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.recipe.single import enhance

    models = {"embedder": embedder, **({"teacher": asked_model(ask, model, price, key, can or [])} if ask else {})}
    with LiveTable() as watcher:
        result = enhance(
            pool, with_parameters(by, given or []), gates=list(gate) if gate else None, target=target, models=models,
            budget=limits(usd, calls), seed=seed, format=to, runs=runs, home=home, watcher=watcher,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(result.as_dict(), ensure_ascii=False))
        return
    for line in [f"Stopped early: {result.stopped}."] if result.stopped else told(result, "in all"):
        typer.echo(line)
