"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.")]
Runs = Annotated[Path, typer.Option(help="Where runs are kept.")]
Store = Annotated[Path, typer.Option(help="The store of signals, models and trials.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Embedder = Annotated[
    str, typer.Option(help="minilm (exact), static (over 100 times faster), or a folder; select takes static if none.")
]
Format = Annotated[str, typer.Option("--to", help="Format of the result: messages, trl, llamafactory, axolotl, table.")]
Origins = Annotated[
    bool, typer.Option("--origins/--no-origins", help="Whether records tell where their rows come from.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="Columns under other names: prompt=q,answer=a; prompt=context+question puts two together."),
]
Roles = Annotated[list[str] | None, typer.Option(help="Other names of roles: customer=user,agent=assistant.")]
Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="A Python file with methods of your own, which is run; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


def load_plugins(files: list[str] | None) -> None:
    """Make what the files define known.

    Raises:
        UsageError: one of them cannot be loaded.
    """
    if files:
        from dataflywheel.catalog import plugin

        for file in files:
            plugin(file)


def named(columns: list[str] | None, roles: list[str] | None) -> dict[str, Any]:
    """The mapping that the options ask for, as the functions take it."""
    from dataflywheel.rows.mapping import from_options

    given = from_options(columns or [], roles or [])
    return dict(zip(("columns", "roles"), given, strict=True))
