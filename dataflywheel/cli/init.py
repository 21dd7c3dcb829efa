"""`flywheel init [POOL] --target EVAL`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init_command(
    pool: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders or data set names; the data files of this folder where none are named."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Evaluation rows: what the model shall be good at.")] = None,
    model: Annotated[str, typer.Option(help="The model to train: a folder or a name of the hub.")] = "",
    like: Annotated[str, typer.Option(help="Copy a recipe that comes with the package in place of writing one.")] = "",
    out: Annotated[Path, typer.Option(help="The recipe's file.")] = Path("recipe.yaml"),
) -> None:
    """Write a commented recipe for the files at hand, ready for `plan` and `run`."""
    from dataflywheel.recipe.init import init

    for line in init(pool, target=target, model=model, like=like, out=out):
        typer.echo(line)
