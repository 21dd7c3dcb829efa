"""The command `flywheel`. Verbs load on use, so that `--help` is instant."""

from __future__ import annotations

import errno
import os
import traceback
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from dataflywheel.cli.examples import epilog
from dataflywheel.cli.stopping import GOES_ON, UNFINISHED, leave, listen, stopped, unwind

VERBS = {
    "init": "Write a commented recipe for the files at hand.",
    "run": "Plan, run or resume a recipe; ends with where the results are.",
    "plan": "Check a recipe and price each step, without doing it.",
    "select": "One selection from a pool, without a recipe.",
    "enhance": "Rewrite rows of a pool through gates, without a recipe.",
    "generate": "Write new rows from a pool through gates, without a recipe.",
    "distill": "Train a student with a teacher heard at every token, without a recipe.",
    "compress": "A smaller model out of a larger one: pruned, taught what it lost, measured.",
    "compare": "The scoreboard: each selector against random, longest and full for as many training tokens.",
    "answer": "Answers of a model to prompts, from a folder or an endpoint.",
    "judge": "Which of two models answers better, as a judge sees it, and what that judge is worth.",
    "profile": "What is in a pool: formats, lengths, languages, duplicates, personal data.",
    "why": "The life of one row of a run.",
    "runs": "The runs of a folder: state, rows, score and cost.",
    "push": "A run's data set and model with their cards, to the Hugging Face hub.",
    "clean": "What the store holds, and what of it can be taken away.",
    "diff": "What changed between two data sets or runs.",
    "methods": "The catalogue of methods, with papers, needs and cost.",
    "convert": "Convert rows between formats.",
    "restore": "Give rows back as they were before a redaction, with its key.",
}


class Lazy(TyperGroup):
    """Imports a verb's module when it is called; the list of verbs needs none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, name: str) -> Any:
        """Name and help, which is all that the list of verbs shows."""
        return TyperCommand(name, help=VERBS[name]) if name in VERBS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from dataflywheel.contracts import nearest

            ctx.fail(f"there is no command {args[0]!r}{nearest(args[0], list(VERBS))}")
        name, found, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, found, rest
        verb = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command = getattr(import_module(f"dataflywheel.cli.{name}"), f"{name}_command")
        verb.command(name, help=VERBS[name], epilog=epilog(name))(command)
        return name, typer.main.get_command(verb), rest

    def invoke(self, ctx: Any) -> Any:
        """Typer would end an interrupted verb without a word."""
        unwind()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            stopped(error)


app = typer.Typer(
    cls=Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The best post-trained language model from the least data.",
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress; results, warnings and errors alone."),
) -> None:
    if quiet:
        os.environ["FLYWHEEL_QUIET"] = "1"
    if version:
        from dataflywheel import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Exit 0 done, 1 failed, 2 usage, 3 ended by a budget, 128 and a signal's number; messages go to stderr."""
    from dataflywheel.errors import DeferredError, FlywheelError, OverBudgetError, UsageError

    listen()
    try:
        app()
    except UsageError as error:
        leave(2, str(error))
    except (OverBudgetError, DeferredError) as error:
        leave(UNFINISHED, f"not finished: {error}")
    except FlywheelError as error:
        leave(1, str(error))
    except OSError as error:
        leave(1, f"{_trouble(error)}; {GOES_ON}")
    except Exception as error:
        traceback.print_exc()
        leave(1, f"a fault of flywheel itself ({type(error).__name__}): report it with the lines above; {GOES_ON}")


def _trouble(error: OSError) -> str:
    """What the machine refused, of which file, and the way out where there is a usual one."""
    ways_out = {
        errno.ENOSPC: "; free some space",
        errno.EDQUOT: "; free some space",
        errno.EFBIG: "; allow larger files (ulimit -f)",
        errno.EMFILE: "; allow more open files (ulimit -n)",
        errno.EACCES: "; check who may read and write there",
        errno.EPERM: "; check who may read and write there",
        errno.EROFS: "; give a place that can be written (--runs, --home)",
    }
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}{ways_out.get(error.errno or 0, '')}"


if __name__ == "__main__":
    main()
