"""The command `flywheel`. Verbs load on use, so that `--help` is instant."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

VERBS = {
    "run": "Plan, run or resume a recipe; ends with where the results are.",
    "plan": "Check a recipe and price each step, without doing it.",
    "select": "One selection from a pool, without a recipe.",
    "compare": "The scoreboard: each selector against random, longest and full at the same budget.",
    "profile": "What is in a pool: formats, lengths, languages, duplicates, personal data.",
    "why": "The life of one row of a run.",
    "diff": "What changed between two data sets or runs.",
    "methods": "The catalogue of methods, with papers, needs and cost.",
    "convert": "Convert rows between formats.",
}


class Lazy(TyperGroup):
    """Imports a verb's module when it is called; the list of verbs needs none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in VERBS:
            return None
        if len(sys.argv) < 2 or sys.argv[1] == "--help":  # the list of verbs shows only names and help
            return TyperCommand(name, help=VERBS[name])
        verb = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        verb.command(name, help=VERBS[name])(getattr(import_module(f"dataflywheel.cli.{name}"), f"{name}_command"))
        return typer.main.get_command(verb)


app = typer.Typer(
    cls=Lazy,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The best post-trained language model from the least data.",
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        from dataflywheel import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Exit 0 done, 1 failed, 2 usage; messages go to stderr."""
    from dataflywheel.errors import FlywheelError, UsageError

    try:
        app()
    except UsageError as error:
        typer.echo(f"flywheel: {error}", err=True)
        sys.exit(2)
    except FlywheelError as error:
        typer.echo(f"flywheel: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("flywheel: stopped; the same command goes on from here", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
