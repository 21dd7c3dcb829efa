"""`flywheel push RUN REPO`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dataflywheel.cli.options import AsJson


def push_command(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    repo: Annotated[str, typer.Argument(help="The repository: NAME, or OWNER/NAME.")],
    what: Annotated[Literal["all", "dataset", "model"], typer.Option(help="What is pushed of what there is.")] = "all",
    model: Annotated[str, typer.Option(help="Which of the models under models/; the last if none.")] = "",
    public: Annotated[bool, typer.Option("--public", help="For all to see; else a new repository is private.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list files and sizes; nothing is asked of the hub.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Push a run's data set and model with their cards to the Hugging Face hub."""
    from dataflywheel.report.pushing import push

    done = push(run, repo, what=what, model=model, public=public, dry_run=dry_run)
    for line in [json.dumps(done.as_dict(), ensure_ascii=False)] if as_json else told(done):
        typer.echo(line)


def told(done: Any) -> list[str]:
    """What went, or would go, where."""
    from dataflywheel.cli.clean import shown as size

    lines = []
    for part in done.parts:
        verb = "Would push" if done.dry_run else "Pushed"
        where = done.urls.get(part.kind, f"the {part.kind} {done.repo}")
        seen = "" if done.dry_run else ", private" if done.private.get(part.kind) else ", public"
        lines.append(f"{verb} {size(part.bytes)} of {part.folder} to {where}{seen}:")
        width = max(map(len, part.files), default=0)
        lines += [f"  {name:<{width}}  {size(bytes)}" for name, bytes in part.files.items()]
        lines += [f"  left here: {name}" for name in part.left_out]
    if done.dry_run:
        lines.append("Nothing was sent. A new repository would be private, unless --public says otherwise.")
    return lines
