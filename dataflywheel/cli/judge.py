"""`flywheel judge A B --judge MODEL`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataflywheel.cli.asked import Calls, Key, ModelName, Price, Usd
from dataflywheel.cli.options import AsJson, Columns, Roles, named
from dataflywheel.cli.tables import number_table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflywheel.evolution.judging.calibrate import Calibration
    from dataflywheel.evolution.judging.judged import Judged

Answers = Annotated[str | None, typer.Argument(help="Answers, in any format; matched to the other's by prompt.")]


def judge_command(
    a: Answers = None,
    b: Answers = None,
    judge: str = typer.Option(..., help="Who judges: the address of an endpoint, or a folder with a model."),
    model: ModelName = "",
    by: str = typer.Option("pairwise", help="pairwise, pointwise, rubric, crowd_score or calibra_eval."),
    reference: str | None = typer.Option(None, help="Correct answers to the prompts, for the judge to see."),
    gold: str | None = typer.Option(None, help="Human labels, rows with prompt and label: what is the judge worth?"),
    earlier: Annotated[
        list[str] | None,
        typer.Option(help="A result (--json) of another model against B; two or more allow length control."),
    ] = None,
    calibrate: bool = typer.Option(False, "--calibrate", help="Judge pairs that people have judged, instead of A, B."),
    data: Annotated[
        Path | None, typer.Option(envvar="FLYWHEEL_DATA", help="Folder of pandalm and llmbar, for --calibrate.")
    ] = None,
    limit: int | None = typer.Option(None, min=1, help="Pairs of each set for --calibrate, at most."),
    usd: Usd = None,
    calls: Calls = None,
    price: Price = "",
    can: Annotated[
        list[str] | None,
        typer.Option(help="What the endpoint can do beyond chat: logprobs (for calibra_eval), json_schema."),
    ] = None,
    key: Key = "",
    columns: Columns = None,
    roles: Roles = None,
    seed: int = typer.Option(0, help="Seed of the intervals and of what --limit draws."),
    home: Path = typer.Option(Path(".flywheel"), help="Where answers are kept, so that none is paid twice."),
    as_json: AsJson = False,
) -> None:
    """Which of two models answers better, as a judge sees it, and how far that can be believed."""
    from dataflywheel.cli.asked import asked_model
    from dataflywheel.cli.live import asking_shown
    from dataflywheel.errors import UsageError

    spec = asked_model(judge, model, price, key, can or [])
    if usd is not None and isinstance(spec, dict) and not price:
        raise UsageError(
            "judge: --usd needs the price to be kept: --price 0.1/0.4, dollars per million tokens read and written "
            "(0/0 for a server of your own); or cap --calls"
        )
    shared: dict[str, Any] = {"usd": usd, "calls": calls, "seed": seed, "home": home}
    if calibrate:
        if a or b or data is None:
            raise UsageError("judge --calibrate takes no A and B, and needs --data: a folder with pandalm and llmbar")
        from dataflywheel.evolution.judging.calibrate import calibrate as calibrated

        with asking_shown() as watch:
            found = calibrated(spec, by, data=data, limit=limit, watch=watch, **shared)
        _print(found.as_dict()) if as_json else _calibration(found)
        return
    if a is None or b is None:
        raise UsageError("judge: name two files of answers, A and B, or use --calibrate")
    from dataflywheel.evolution.judging.judge import judge as judged

    with asking_shown() as watch:
        result = judged(
            a, b, spec, by, reference=reference, gold=gold, earlier=earlier or (), watch=watch, **shared,
            **named(columns, roles),
        )  # fmt: skip
    _print(result.as_dict()) if as_json else _result(result)


def _print(found: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(found, ensure_ascii=False))


def _result(found: Judged) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dataflywheel.report.judging import AGREEMENT, agreement_rows, beats, bill, facts

    console = Console(highlight=False)
    console.print(Text(f"A: {found.a}\nB: {found.b}\n{found.pairs:,} pairs, {found.judge} by {found.model}\n"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    for name, value in facts(found).items():
        table.add_row(name, Text(value))
    console.print(table)
    if found.gold:
        console.print(Text(f"\nagainst {found.gold['pairs']:,} gold labels"))
        _table(console, AGREEMENT, agreement_rows(found.gold))
        console.print(Text(beats(found.gold)))
    console.print(Text(f"\n{bill(found.cost)}"))


def _calibration(found: Calibration) -> None:
    from rich.console import Console
    from rich.text import Text

    from dataflywheel.report.judging import DETAIL, SETS, bill, detail_rows, sets_rows, steadiness

    console = Console(highlight=False)
    console.print(Text(f"{found.judge} by {found.model}, against people; unreadable verdicts are wrong\n"))
    _table(console, SETS, sets_rows(found))
    console.print()
    _table(console, DETAIL, detail_rows(found))
    console.print(Text(f"\n{steadiness(found)}"))
    console.print(Text(f"\n{bill(found.cost)}"))


def _table(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    table = number_table(*head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
