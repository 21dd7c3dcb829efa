"""`flywheel generate [POOL] --by METHOD --rows 100`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dataflywheel.cli.asked import Gates, Parameters
from dataflywheel.cli.options import AsJson
from dataflywheel.cli.single import with_settings


@with_settings
def generate_command(
    pool: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or data set names that are written from, in any format; magpie, "
            "attribute_grid and condor need none, nor does ask_for_rows with --set seeds=0."
        ),
    ] = None,
    by: str = typer.Option("grounded_rules", help="The method; `flywheel methods --category synthesis` lists them."),
    rows: str = typer.Option("100", help="New rows wanted: 100, or 10% of the pool."),
    visits: int | None = typer.Option(
        None, min=1, help="How often one row is written from, at most; the method's own if none."
    ),
    fill: str | None = typer.Option(
        None, help="Fill up the groups with fewer rows than the largest: label, tag, source, or a field of the rows."
    ),
    given: Parameters = None,
    gate: Gates = None,
    target: str | None = typer.Option(None, help="Evaluation rows that no new row may give away."),
    as_json: AsJson = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Write new rows from those of a pool; each passes the gates before it counts."""
    from dataflywheel.cli.asked import say
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.recipe.single import Around, generate
    from dataflywheel.report.pages import write_pages

    around, options = Around.of({**settings, "target": target})
    with LiveTable() as watcher:
        result = generate(
            pool, with_parameters(by, given or []), around, rows, gates=gate or None, visits=visits, fill=fill,
            watcher=watcher, finish=write_pages, **options,
        )  # fmt: skip
    say(result, "with the pool's" if pool else "in all", as_json)
