"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.")]
Runs = Annotated[Path, typer.Option(help="Where runs are kept.")]
Store = Annotated[Path, typer.Option(help="The store of signals, models and trials.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
