"""`flywheel enhance POOL --by METHOD`."""

from __future__ import annotations

from typing import Any

import typer

from dataflywheel.cli.asked import Gates, Parameters
from dataflywheel.cli.options import AsJson
from dataflywheel.cli.single import with_settings


@with_settings
def enhance_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names, in any format."),
    by: str = typer.Option(..., help="The method; `flywheel methods --category enhancement` lists them."),
    given: Parameters = None,
    gate: Gates = None,
    target: str | None = typer.Option(None, help="Evaluation rows that no rewritten row may give away."),
    as_json: AsJson = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Rewrite rows of a pool; a proposal that passes its gates replaces its row, all others stay as they are."""
    from dataflywheel.cli.asked import say
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.recipe.single import Around, enhance
    from dataflywheel.report.pages import write_pages

    around, options = Around.of({**settings, "target": target})
    with LiveTable() as watcher:
        result = enhance(
            pool,
            with_parameters(by, given or []),
            around,
            gates=gate or None,
            watcher=watcher,
            finish=write_pages,
            **options,
        )
    say(result, "in all", as_json)
