"""`flywheel select POOL --by METHOD --keep 5%`."""

from __future__ import annotations

from typing import Any

import typer

from dataflywheel.cli.asked import Parameters
from dataflywheel.cli.options import AsJson
from dataflywheel.cli.single import with_settings

THEN = "then."


@with_settings
def select_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names, in any format."),
    by: str = typer.Option("random", help="The method; `flywheel methods --category selection` lists them."),
    keep: str = typer.Option("10%", help="The budget: 1000, 10% or '50000 tokens'."),
    given: Parameters = None,
    then: str = typer.Option(
        "", help="A diversity method that chooses among the best by score; --set then.NAME=VALUE is its parameter."
    ),
    per: str = typer.Option("", help="Share the budget out: source, tag or slice."),
    target: str | None = typer.Option(None, help="Evaluation rows that targeted methods compare with."),
    student: str = typer.Option(
        "tiny", help="Model that measures likelihoods: tiny, trained on the pool, or a folder."
    ),
    as_json: AsJson = False,
    *,
    settings: dict[str, Any],
) -> None:
    """One selection from a pool, without a recipe."""
    from dataflywheel.cli.asked import bill, show
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.errors import UsageError
    from dataflywheel.recipe.select import select
    from dataflywheel.report.pages import write_pages

    own = [one for one in given or [] if not one.startswith(THEN)]
    later = [one.removeprefix(THEN) for one in given or [] if one.startswith(THEN)]
    if later and not then:
        raise UsageError(f"--set {THEN}{later[0]} is a parameter of --then, and no method is named there")
    settings["models"] |= {"student": student}
    with LiveTable() as watcher:
        result = select(
            pool, with_parameters(by, own), keep, then=with_parameters(then, later) if then else None,
            per=per or None, target=target, watcher=watcher, finish=write_pages, **settings,
        )  # fmt: skip
    show(result, as_json, lambda: [
        f"{result.rows_out:,} of {result.rows_in:,} rows kept by {by}: {result.dataset}",
        *bill(result.path),
        f"Report: {result.path / 'report.html'}",
        "Whether that beats random choice was not measured; a recipe with `compare:` measures it.",
        f"Next: flywheel why {result.path} ROW, or flywheel profile {result.dataset}",
    ])  # fmt: skip
