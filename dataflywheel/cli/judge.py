"""`flywheel judge A B --judge MODEL`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataflywheel.cli.asked import Calls, Concurrency, Key, Parameters, Patience, Price, Timeout, Usd, paced
from dataflywheel.cli.options import AsJson, Columns, Plugins, Roles, load_plugins, named
from dataflywheel.cli.tables import number_table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflywheel.evolution.judging.calibrate import Calibration
    from dataflywheel.evolution.judging.judged import Judged

Answers = Annotated[str | None, typer.Argument(help="Answers, in any format; matched to the other's by prompt.")]
Judges = Annotated[
    list[str] | None,
    typer.Option(help="Who judges: the address of an endpoint, or a folder with a model; of a panel, each member's."),
]
Names = Annotated[
    list[str] | None, typer.Option(help="The model's name at the endpoint; of a panel, each member's in turn.")
]
By = Annotated[str, typer.Option(help="pairwise, pointwise, rubric, crowd_score, calibra_eval or panel.")]
Reference = Annotated[str | None, typer.Option(help="Correct answers to the prompts, for the judge to see.")]
Gold = Annotated[str | None, typer.Option(help="Human labels, rows with prompt and label: what is the judge worth?")]
Earlier = Annotated[
    list[str] | None,
    typer.Option(help="A result (--json) of another model against B; two or more allow length control."),
]
Calibrate = Annotated[bool, typer.Option("--calibrate", help="Judge pairs that people have judged, instead of A, B.")]
Data = Annotated[
    Path | None, typer.Option(envvar="FLYWHEEL_DATA", help="Folder of pandalm and llmbar, for --calibrate.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Pairs of each set for --calibrate, at most.")]
JudgeCan = Annotated[
    list[str] | None,
    typer.Option(help="What the endpoint can do beyond chat: logprobs (for calibra_eval), json_schema."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Write each pair with its verdict and reason: .jsonl, .csv, .parquet, or a page, .html."),
]
JudgeSeed = Annotated[int, typer.Option(help="Seed of the intervals and of what --limit draws.")]
Kept = Annotated[Path, typer.Option(help="Where answers are kept, so that none is paid twice.")]


def judge_command(
    a: Answers = None,
    b: Answers = None,
    judge: Judges = None,
    model: Names = None,
    by: By = "pairwise",
    given: Parameters = None,
    reference: Reference = None,
    gold: Gold = None,
    earlier: Earlier = None,
    calibrate: Calibrate = False,
    data: Data = None,
    limit: Limit = None,
    usd: Usd = None,
    calls: Calls = None,
    price: Price = "",
    can: JudgeCan = None,
    key: Key = "",
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    patience: Patience = None,
    out: Out = None,
    columns: Columns = None,
    roles: Roles = None,
    plugin: Plugins = None,
    seed: JudgeSeed = 0,
    home: Kept = Path(".flywheel"),
    as_json: AsJson = False,
) -> None:
    """Which of two models answers better, as a judge sees it, and how far that can be believed."""
    from dataflywheel.cli.live import asking_shown
    from dataflywheel.cli.stopping import unfinished
    from dataflywheel.errors import UsageError

    load_plugins(plugin)
    spec, method = _judging(
        judge or [], model or [], by, given or [], price, key, can or [], paced(concurrency, timeout, patience)
    )
    _check_price(usd, price, judge or ())
    shared: dict[str, Any] = {"usd": usd, "calls": calls, "seed": seed, "home": home}
    if calibrate:
        _calibrated(spec, method, None if a or b else data, limit, shared, as_json)
        return
    if a is None or b is None:
        raise UsageError("judge: name two files of answers, A and B, or use --calibrate")
    from dataflywheel.evolution.judging.judge import judge as judged
    from dataflywheel.report.verdicts import check_place

    if out is not None:
        check_place(out)
    with asking_shown() as watch:
        result = judged(
            a, b, spec, method, reference=reference, gold=gold, earlier=earlier or (), watch=watch, **shared,
            **named(columns, roles),
        )  # fmt: skip
    _print(result.as_dict()) if as_json else _result(result)
    if out is not None:
        _written(out, result, a, b, reference, named(columns, roles), as_json)
    unfinished(result.stopped)


def _calibrated(
    spec: Any, method: Mapping[str, Any], data: Path | None, limit: int | None, shared: Mapping[str, Any], as_json: bool
) -> None:
    """Judge pairs that people have judged, and print what the judge is worth."""
    from dataflywheel.cli.live import asking_shown
    from dataflywheel.cli.stopping import unfinished
    from dataflywheel.errors import UsageError
    from dataflywheel.evolution.judging.calibrate import calibrate

    if data is None:
        raise UsageError("judge --calibrate takes no A and B, and needs --data: a folder with pandalm and llmbar")
    with asking_shown() as watch:
        found = calibrate(spec, dict(method), data=data, limit=limit, watch=watch, **shared)
    _print(found.as_dict()) if as_json else _calibration(found)
    unfinished(found.stopped)


def _written(
    out: Path, found: Judged, a: str, b: str, reference: str | None, names: Mapping[str, Any], as_json: bool
) -> None:
    """Write the verdicts with the texts that they are of, and say where."""
    from dataflywheel.evolution.judging.pairing import read_pairs
    from dataflywheel.report.verdicts import write_verdicts
    from dataflywheel.rows.mapping import column_mapping

    number = write_verdicts(out, found, read_pairs(a, b, reference, column_mapping(**names)))
    typer.echo(f"{number:,} verdicts with their texts: {out}", err=as_json)


def _check_price(usd: float | None, price: str, judges: Sequence[str]) -> None:
    """Raises UsageError: dollars are capped, and what an endpoint costs is not known."""
    from dataflywheel.errors import UsageError

    if usd is not None and not price and any(place.startswith(("http://", "https://")) for place in judges):
        raise UsageError(
            "judge: --usd needs the price to be kept: --price 0.1/0.4, dollars per million tokens read and written "
            "(0/0 for a server of your own); or cap --calls"
        )


def _judging(
    places: Sequence[str],
    names: Sequence[str],
    by: str,
    given: Sequence[str],
    price: str,
    key: str,
    can: Sequence[str],
    pace: Mapping[str, float],
) -> tuple[dict[str, Any] | str | None, dict[str, Any]]:
    """Who judges, None for a panel, whose members are among its parameters; and the method with its parameters.

    Raises:
        UsageError: several judges and no panel, a panel of one, or names that do not fit the addresses.
    """
    from dataflywheel.cli.asked import asked_model
    from dataflywheel.cli.parameters import with_parameters
    from dataflywheel.errors import UsageError

    method = with_parameters(by, given)
    if by != "panel":
        if len(places) > 1 or len(names) > 1:
            raise UsageError(f"judge: {by} has one judge; several are `--by panel`")
        if not places:
            return None, method  # of methods that ask none; the others say what they lack
        return asked_model(places[0], next(iter(names), ""), price, key, can, pace), method
    members = max(len(places), len(names))
    if members < 2 or len(places) not in (1, members) or len(names) not in (0, 1, members):
        raise UsageError(
            "judge: a panel has two members or more: name --judge for each, or one address and --model for each"
        )
    every = [places[i % len(places)] for i in range(members)]
    called = [names[i % len(names)] if names else "" for i in range(members)]
    method[by]["models"] = [asked_model(*one, price, key, can, pace) for one in zip(every, called, strict=True)]
    return None, method


def _print(found: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(found, ensure_ascii=False))


def _result(found: Judged) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dataflywheel.report.judging import AGREEMENT, agreement_rows, beats, bill, facts

    console = Console(highlight=False)
    _not_finished(console, found.stopped)
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
    _not_finished(console, found.stopped)
    console.print(Text(f"{found.judge} by {found.model}, against people; unreadable verdicts are wrong\n"))
    _table(console, SETS, sets_rows(found))
    console.print()
    _table(console, DETAIL, detail_rows(found))
    console.print(Text(f"\n{steadiness(found)}"))
    console.print(Text(f"\n{bill(found.cost)}"))


def _not_finished(console: Console, why: str) -> None:
    from rich.text import Text

    if why:
        console.print(Text(f"Not finished: {why}\n"))


def _table(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    table = number_table(*head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
