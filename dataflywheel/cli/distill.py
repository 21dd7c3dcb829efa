"""`flywheel distill POOL --teacher MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from dataflywheel.cli.asked import Parameters
from dataflywheel.cli.options import AsJson, Columns, Plugins, Roles, Runs, Seed, Store, load_plugins, named


def distill_command(
    pool: list[str] = typer.Argument(help="Files, folders or data set names whose answers are learned."),
    teacher: str = typer.Option(..., help="A folder with a model; or tiny, trained on the pool (see --teacher-size)."),
    teacher_size: str = typer.Option("5m", help="Parameters of a tiny teacher."),
    student: str = typer.Option("tiny", help="tiny, or a folder with the model that learns."),
    student_size: str = typer.Option("1m", help="Parameters of a tiny student."),
    by: str = typer.Option("dense_distillation", help="The method; `flywheel methods --category model` lists them."),
    given: Parameters = None,
    epochs: float = typer.Option(3.0, help="Passes over the rows."),
    learning_rate: float | None = typer.Option(None, help="Peak learning rate; the usual one where not given."),
    force: bool = typer.Option(False, "--force", help="Take a learning rate of ten times the usual or more."),
    max_length: int = typer.Option(1024, help="Tokens of a row, at most."),
    columns: Columns = None,
    roles: Roles = None,
    plugin: Plugins = None,
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Train a student on a pool's answers with a larger model heard at every token."""
    from dataflywheel.cli.asked import show
    from dataflywheel.cli.live import LiveTable
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.recipe.single import Around, distill
    from dataflywheel.report.pages import write_pages

    load_plugins(plugin)

    def model(name: str, size: str) -> dict[str, Any] | str:
        return {"builtin": "tiny", "size": size} if name == "tiny" else name

    settings = {"epochs": epochs, "learning_rate": learning_rate, "max_length": max_length, "force": force}
    around = Around(seed=seed, models={"student": model(student, student_size)}, **named(columns, roles))
    with LiveTable() as watcher:
        result = distill(
            pool, model(teacher, teacher_size), around, by=with_parameters(by, given or []), settings=settings,
            runs=runs, home=home, watcher=watcher, finish=write_pages,
        )  # fmt: skip
    show(result, as_json, lambda: [
        f"Learned from {result.rows_out:,} rows: {result.model}",
        f"Report: {result.path / 'report.html'}",
        "Whether that beats training without the teacher was not measured; a recipe with a target measures it.",
        f"Next: flywheel generate {pool[0]} --by grounded_rules, or a recipe with `distill` and `evaluate`.",
    ])  # fmt: skip
