"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.")]
Runs = Annotated[Path, typer.Option(help="Where runs are kept.")]
Store = Annotated[Path, typer.Option(help="The store of signals, models and trials.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Embedder = Annotated[str, typer.Option(help="minilm (exact), static (over 100 times faster), or a folder.")]
Format = Annotated[str, typer.Option("--to", help="Format of the result: messages, trl, llamafactory, axolotl.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
